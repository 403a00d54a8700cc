import { created } from "../../shared/answers.ts";
import { mintKey } from "../../shared/keys.ts";
import { route } from "../../shared/route.ts";
import { IssuedKey, IssueKey } from "../../shared/schemas/keys.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Issues an API key. The plain key is in this one response and nowhere else. */
export default serve("issue-key", {
  POST: route({
    summary: "Issues an API key, shown once",
    access: { scope: "keys:write" },
    body: IssueKey,
    answer: IssuedKey,
    status: 201,
    async run({ caller, body, call }) {
      const key = mintKey(body.environment);
      const issued = await call("issue_key", {
        p_caller: caller,
        p_hash: key.hash,
        p_last_four: key.last_four,
        p_request: body,
      });
      wake("dispatch-webhooks");
      return created({ ...issued, key: key.plain });
    },
  }),
});
