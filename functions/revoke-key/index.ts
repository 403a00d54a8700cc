import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { RevokedKey, RevokeKey } from "../../shared/schemas/keys.ts";
import { serve } from "../../shared/serve.ts";

/** Revokes a key and those it issued. A request that starts after this answered is refused. */
export default serve("revoke-key", {
  POST: route({
    summary: "Revokes an API key and the keys it issued",
    access: { scope: "keys:write" },
    body: RevokeKey,
    answer: RevokedKey,
    status: 200,
    async run({ caller, body, call }) {
      return ok(await call("revoke_key", { p_caller: caller, p_request: body }));
    },
  }),
});
