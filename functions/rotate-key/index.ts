import { created } from "../../shared/answers.ts";
import { environmentOf } from "../../shared/credentials.ts";
import { mintKey } from "../../shared/keys.ts";
import { route } from "../../shared/route.ts";
import { RotatedKey, RotateKey } from "../../shared/schemas/keys.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Rotates a key: a successor with the same rights; the old one lives on for the overlap and then stops by itself. */
export default serve("rotate-key", {
  POST: route({
    summary: "Issues a key's successor, shown once; both live for the overlap",
    access: { scope: "keys:write" },
    body: RotateKey,
    answer: RotatedKey,
    status: 201,
    async run({ request, caller, body, call }) {
      const key = mintKey(environmentOf(request, caller));
      const rotated = await call("rotate_key", {
        p_caller: caller,
        p_hash: key.hash,
        p_last_four: key.last_four,
        p_request: body,
      });
      wake("dispatch-webhooks");
      return created({ ...rotated, key: key.plain });
    },
  }),
});
