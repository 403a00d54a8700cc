import { created, ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { listOf, PageQuery, Removed } from "../../shared/schemas/fields.ts";
import { ChangeMailbox, CreateMailbox, Mailbox } from "../../shared/schemas/mailboxes.ts";
import { serve } from "../../shared/serve.ts";

/** Addresses that receive. */
export default serve("mailboxes", {
  GET: route({
    summary: "Lists mailboxes",
    access: { scope: "mailboxes:read" },
    query: PageQuery,
    answer: listOf(Mailbox),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_mailboxes", { p_caller: caller, p_request: query })),
  }),
  POST: route({
    summary: "Makes a mailbox for an address",
    access: { scope: "mailboxes:write" },
    body: CreateMailbox,
    answer: Mailbox,
    status: 201,
    run: async ({ caller, body, call }) =>
      created(await call("create_mailbox", { p_caller: caller, p_request: body })),
  }),
  "GET /:id": route({
    summary: "Shows a mailbox",
    access: { scope: "mailboxes:read" },
    answer: Mailbox,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("get_mailbox", { p_caller: caller, p_id: params["id"] })),
  }),
  "PATCH /:id": route({
    summary: "Changes a mailbox's name, or whether its mail is announced",
    access: { scope: "mailboxes:write" },
    body: ChangeMailbox,
    answer: Mailbox,
    status: 200,
    run: async ({ caller, params, body, call }) =>
      ok(await call("update_mailbox", { p_caller: caller, p_id: params["id"], p_request: body })),
  }),
  "DELETE /:id": route({
    summary: "Removes a mailbox and keeps its mail",
    access: { scope: "mailboxes:write" },
    answer: Removed,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("delete_mailbox", { p_caller: caller, p_id: params["id"] })),
  }),
});
