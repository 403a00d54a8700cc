import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { Identity } from "../../shared/schemas/organizations.ts";
import { serve } from "../../shared/serve.ts";

/** Says who the credential speaks for, and what it may do. */
export default serve("whoami", {
  GET: route({
    summary: "Says who the credential speaks for and what it may do",
    access: { caller: true },
    answer: Identity,
    status: 200,
    async run({ caller, call }) {
      return ok(await call("whoami", { p_caller: caller }));
    },
  }),
});
