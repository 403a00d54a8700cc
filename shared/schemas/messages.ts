import { z } from "zod";
import { Environment, id, PageQuery, ShownTime, text, Time } from "./fields.ts";

const flag = z.enum(["true", "false"]).transform((given) => given === "true");
const statuses = [
  "queued",
  "sending",
  "unknown",
  "sent",
  "deferred",
  "failed",
  "delivered",
  "bounced",
  "complained",
  "suppressed",
  "cancelled",
  "mixed",
  "received",
] as const;

/** Query of GET messages. Filters are joined by "and". */
export const MessageFilters = PageQuery.extend({
  direction: z.enum(["inbound", "outbound"]).optional(),
  status: z.enum(statuses).optional(),
  mailbox_id: id("mbx").optional(),
  thread_id: id("thr").optional(),
  from: text(254).min(3).optional(),
  tag: text(256).min(1).optional(),
  read: flag.optional(),
  since: Time.optional(),
  until: Time.optional(),
});

export const MessageSummary = z.object({
  id: z.string(),
  direction: z.enum(["inbound", "outbound"]),
  status: z.enum(statuses),
  environment: Environment,
  thread_id: z.string(),
  mailbox_id: z.string().nullable(),
  provider_id: z.string().nullable(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  snippet: z.string(),
  tags: z.array(z.string()),
  labels: z.array(z.string()),
  read: z.boolean(),
  starred: z.boolean(),
  has_attachments: z.boolean(),
  sent_at: ShownTime.nullable(),
  created_at: ShownTime,
});

const RecipientState = z.object({
  address: z.string(),
  name: z.string().nullable(),
  kind: z.enum(["to", "cc", "bcc"]),
  status: z.enum(statuses),
  reason: z.string().nullable(),
  updated_at: ShownTime,
});

const ShownAttachment = z.object({
  id: z.string(),
  filename: z.string(),
  content_type: z.string(),
  content_id: z.string().nullable(),
  size_bytes: z.number(),
  sha256: z.string(),
  url: z.url().nullable(),
});

const ShownEvent = z.object({
  id: z.string(),
  type: z.string(),
  created_at: ShownTime,
  data: z.record(z.string(), z.unknown()),
});

/** Answer of GET messages/<id>. Links open for an hour. */
export const Message = MessageSummary.extend({
  cc: z.array(z.string()),
  bcc: z.array(z.string()),
  reply_to: z.array(z.object({ email: z.string(), name: z.string().nullable() })),
  text: z.string().nullable(),
  html: z.string().nullable(),
  headers: z.union([
    z.record(z.string(), z.string()),
    z.array(z.object({ name: z.string(), value: z.string() })),
  ]),
  metadata: z.record(z.string(), z.string()),
  message_id: z.string().nullable(),
  in_reply_to: z.string().nullable(),
  defects: z.array(z.string()),
  recipients: z.array(RecipientState),
  attachments: z.array(ShownAttachment),
  events: z.array(ShownEvent),
  raw_url: z.url().nullable(),
});
