import { z } from "zod";

const Party = z.object({ email: z.string(), name: z.string().nullable() });

/** What claim_messages hands to a worker: the message, and the account it goes out through (none: the sandbox). */
export const MessageWork = z.array(z.object({
  job_id: z.string(),
  fence: z.number(),
  attempt: z.number(),
  unfinished_attempt: z.boolean(),
  message: z.object({
    id: z.string(),
    from: Party,
    to: z.array(Party),
    cc: z.array(Party),
    bcc: z.array(Party),
    reply_to: z.array(Party),
    subject: z.string(),
    text: z.string().nullable(),
    html: z.string().nullable(),
    headers: z.record(z.string(), z.string()),
    tags: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
    message_id: z.string(),
    in_reply_to: z.string().nullable(),
    references: z.array(z.string()),
    created_at: z.string(),
    attachments: z.array(z.object({
      filename: z.string(),
      content_type: z.string(),
      content_id: z.string().nullable(),
      size_bytes: z.number(),
      storage_key: z.string(),
    })),
  }),
  provider: z.object({ kind: z.string(), credentials: z.record(z.string(), z.unknown()) }).nullable(),
}));
export type MessageWork = z.infer<typeof MessageWork>[number];

/**
 * One claimed delivery. `body` is null until the first composer has stored it, and only then are there `data`; an
 * endpoint's own headers are by name in lower case; `secret` is null when what is sealed does not open; `previous_secret` is
 * there while a rotation's overlap lasts.
 */
export const DeliveryWork = z.object({
  job_id: z.string(),
  fence: z.number(),
  attempt: z.number(),
  lane: z.enum(["first", "retry"]),
  delivery_id: z.string(),
  thin: z.boolean(),
  event: z.object({
    id: z.string(),
    type: z.string(),
    created_at: z.string(),
    data: z.record(z.string(), z.unknown()).nullable(),
  }),
  payload_version: z.number(),
  body: z.string().nullable(),
  url: z.string(),
  enabled: z.boolean(),
  headers: z.record(z.string(), z.string()).nullable(),
  secret: z.string().nullable(),
  previous_secret: z.string().nullable(),
});
export type DeliveryWork = z.infer<typeof DeliveryWork>;

/** What exchange_deliveries hands to a worker. `wait_ms`: till an endpoint goes on whose tries of a second are used up. */
export const Exchanged = z.object({ deliveries: z.array(DeliveryWork), wait_ms: z.number().nullable() });

/** What store_event_bodies answers: the bytes of each event by its id. */
export const StoredBodies = z.record(
  z.string(),
  z.object({ body: z.string().nullable(), thin_body: z.string().nullable() }),
);
export type StoredBodies = z.infer<typeof StoredBodies>;
