import { created, ok } from "../../shared/answers.ts";
import { hashKey } from "../../shared/keys.ts";
import { mintToken } from "../../shared/one-time-token.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery, Removed } from "../../shared/schemas/fields.ts";
import {
  AcceptInvitation,
  CreatedInvitation,
  CreateInvitation,
  Invitation,
  Joined,
} from "../../shared/schemas/members.ts";
import { serve } from "../../shared/serve.ts";

/** Invitations to join the organization. A token joins one user, once, within seven days. */
export default serve("invitations", {
  GET: route({
    summary: "Lists invitations and what became of them",
    access: { role: "admin" },
    query: PageQuery,
    answer: listOf(Invitation),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_invitations", { p_caller: caller, p_request: query })),
  }),
  POST: route({
    summary: "Invites an address; the token is shown once and is yours to hand over",
    access: { role: "admin" },
    body: CreateInvitation,
    answer: CreatedInvitation,
    status: 201,
    async run({ caller, body, call }) {
      const { plain, hash } = mintToken("mpi");
      const made = await call("create_invitation", { p_caller: caller, p_token_hash: hash, p_request: body });
      return created({ ...made, token: plain });
    },
  }),
  "POST /accept": route({
    summary: "Joins the organization as the invited user",
    access: { session: true },
    body: AcceptInvitation,
    answer: Joined,
    status: 200,
    run: async ({ caller, body, call }) =>
      ok(await call("accept_invitation", { p_caller: caller, p_token_hash: hashKey(body.token) })),
  }),
  "DELETE /:id": route({
    summary: "Withdraws an invitation",
    access: { role: "admin" },
    answer: Removed,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("withdraw_invitation", { p_caller: caller, p_id: params["id"] })),
  }),
});
