import { ok } from "../../shared/answers.ts";
import type { Facts } from "../../shared/database.ts";
import { route } from "../../shared/route.ts";
import { listOf } from "../../shared/schemas/fields.ts";
import { Message, MessageFilters, MessageSummary } from "../../shared/schemas/messages.ts";
import { serve } from "../../shared/serve.ts";
import { downloadLinks } from "../../shared/storage.ts";

/** Where the bytes lie is ours to know; the caller gets links that expire. */
async function withLinks({ raw_key, attachments, ...message }: Facts): Promise<Facts> {
  const files = attachments as (Facts & { storage_key: string; filename: string })[];
  const raw = typeof raw_key === "string" ? [{ key: raw_key, filename: `${message["id"]}.eml` }] : [];
  const links = await downloadLinks([
    ...files.map(({ storage_key, filename }) => ({ key: storage_key, filename })),
    ...raw,
  ]);
  return {
    ...message,
    attachments: files.map(({ storage_key: _, ...file }, index) => ({ ...file, url: links[index] })),
    raw_url: links[files.length] ?? null,
  };
}

/** What was sent and received. */
export default serve("messages", {
  GET: route({
    summary: "Lists messages, newest first",
    access: { scope: "mail:read" },
    query: MessageFilters,
    answer: listOf(MessageSummary),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_messages", { p_caller: caller, p_request: query })),
  }),
  "GET /:id": route({
    summary: "Shows a message with its recipients, attachments and events",
    access: { scope: "mail:read" },
    answer: Message,
    status: 200,
    async run({ caller, params, call }) {
      return ok(await withLinks(await call("get_message", { p_caller: caller, p_id: params["id"] })));
    },
  }),
});
