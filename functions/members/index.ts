import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery, Removed } from "../../shared/schemas/fields.ts";
import { ChangeMember, Member } from "../../shared/schemas/members.ts";
import { serve } from "../../shared/serve.ts";

/** The members of the organization. Somebody owns it at every moment. */
export default serve("members", {
  GET: route({
    summary: "Lists the members of the organization",
    access: { role: "viewer" },
    query: PageQuery,
    answer: listOf(Member),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_members", { p_caller: caller, p_request: query })),
  }),
  "PATCH /:id": route({
    summary: "Changes a member's role, from the next call on",
    access: { role: "admin" },
    body: ChangeMember,
    answer: Member,
    status: 200,
    run: async ({ caller, params, body, call }) =>
      ok(await call("update_member", { p_caller: caller, p_id: params["id"], p_request: body })),
  }),
  "DELETE /:id": route({
    summary: "Removes a member, or leaves the organization",
    access: { role: "viewer" },
    answer: Removed,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("remove_member", { p_caller: caller, p_id: params["id"] })),
  }),
  "POST /:id/transfer": route({
    summary: "Makes the member an owner and the caller an admin",
    access: { role: "owner" },
    answer: Member,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("transfer_ownership", { p_caller: caller, p_id: params["id"] })),
  }),
});
