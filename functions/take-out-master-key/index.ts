import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { TakenOutMasterKey, TakeOutMasterKey } from "../../shared/schemas/master-key.ts";
import { serve } from "../../shared/serve.ts";

/** Hands the master key, wrapped to a passphrase, to who owns every organization: a restore elsewhere needs it. */
export default serve("take-out-master-key", {
  POST: route({
    summary: "Hands out the master key, wrapped to a passphrase, once, to who owns every organization",
    access: { role: "owner" },
    body: TakeOutMasterKey,
    answer: TakenOutMasterKey,
    status: 200,
    run: async ({ caller, body, call }) =>
      ok(await call("take_out_master_key", { p_caller: caller, p_passphrase: body.passphrase })),
  }),
});
