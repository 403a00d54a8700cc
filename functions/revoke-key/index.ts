import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { RevokedKey, RevokeKey } from "../../shared/schemas/keys.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Revokes a key and those it issued, or all that a filter finds. A request that starts after this answered is refused. */
export default serve("revoke-key", {
  POST: route({
    summary: "Revokes an API key and the keys it issued, or every key a filter finds",
    access: { scope: "keys:write" },
    body: RevokeKey,
    answer: RevokedKey,
    status: 200,
    async run({ caller, body, call }) {
      const name = "filter" in body ? "revoke_keys" : "revoke_key";
      const revoked = await call(name, { p_caller: caller, p_request: body });
      wake("dispatch-webhooks");
      return ok(revoked);
    },
  }),
});
