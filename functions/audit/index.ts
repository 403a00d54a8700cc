import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { AuditFilters, AuditLine, AuditProof, VerifyQuery } from "../../shared/schemas/audit.ts";
import { listOf } from "../../shared/schemas/fields.ts";
import { serve } from "../../shared/serve.ts";

/** The audit log of the organization, both environments, for its owners. */
export default serve("audit", {
  GET: route({
    summary: "Lists who did what, newest first",
    access: { role: "owner" },
    query: AuditFilters,
    answer: listOf(AuditLine),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_audit", { p_caller: caller, p_request: query })),
  }),
  "GET /verify": route({
    summary: "Proves that no sealed line was changed, and that a head told before is part of the chain",
    access: { role: "owner" },
    query: VerifyQuery,
    answer: AuditProof,
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("verify_audit", { p_caller: caller, p_head: query.head ?? null })),
  }),
});
