import { z } from "zod";
import { id, ShownTime } from "../fields.ts";
import { eventKind } from "./event-kind.ts";

/** What every event of a message we send tells of it. */
const facts = {
  message_id: id("msg"),
  thread_id: id("thr"),
  from: z.string().describe("`Name <address>`, or the address alone"),
  to: z.array(z.string()).describe("spelled as `from`"),
  subject: z.string(),
  recipients: z.array(z.string()).describe("the addresses whose state it changed, of cc and bcc too"),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
};

const Detail = z.strictObject({
  message_id: z.string().optional(),
  bounce_type: z.string().optional(),
  bounce_reason: z.string().optional(),
  reason: z.string().optional(),
  diagnostics: z.array(z.string()).optional(),
  link: z.string().optional(),
  ip: z.string().optional(),
  user_agent: z.string().optional(),
});

const byUs = z.strictObject(facts);
const byProvider = byUs.extend({
  occurred_at: ShownTime.describe("the provider's own time"),
  detail: Detail.describe("what the provider adds"),
});
const byEither = z.union([byUs, byProvider]);
const seen = byProvider.extend({
  recipients: z.array(z.string()).describe("whose mail it was, where the provider says so"),
});
const withReason = byUs.extend({ reason: z.string().describe("a sentence") });

const mail = {
  message_id: "msg_01KXYW3ZJ8Q4T6V9B2N5R7D1FG",
  thread_id: "thr_01KXYW3ZJ8M3C5H7K9P2S4W6XA",
  from: "Shop <hello@example.com>",
  to: ["Ada <ada@example.net>"],
  subject: "Your receipt",
  recipients: ["ada@example.net"],
  tags: ["receipt"],
  metadata: { order: "1042" },
};
const occurred_at = "2026-11-24T10:00:03.000Z";

/** Events of a message we send. */
export const sentMailEvents = {
  "email.queued": eventKind({
    when: "A message was accepted for sending and stored.",
    data: byUs,
    example: mail,
  }),
  "email.sent": eventKind({
    when: "The sending account took the message.",
    data: byEither,
    example: mail,
  }),
  "email.delivered": eventKind({
    when: "The recipient's server took the message.",
    data: byEither,
    example: { ...mail, occurred_at, detail: {} },
  }),
  "email.deferred": eventKind({
    when: "The recipient's server asked to be tried again later.",
    data: byProvider,
    example: { ...mail, occurred_at, detail: { reason: "Mailbox busy" } },
  }),
  "email.bounced": eventKind({
    when: "The recipient's server refused the message, or sent it back.",
    data: byProvider,
    example: {
      ...mail,
      occurred_at,
      detail: { bounce_type: "permanent", bounce_reason: "General", reason: "No such user" },
    },
  }),
  "email.complained": eventKind({
    when: "The recipient marked the message as spam.",
    data: byProvider,
    example: { ...mail, occurred_at, detail: {} },
  }),
  "email.opened": eventKind({
    when: "The message was opened, where the sending account tracks that.",
    data: seen,
    example: { ...mail, occurred_at, detail: {} },
  }),
  "email.clicked": eventKind({
    when: "A link in the message was followed, where the sending account tracks that.",
    data: seen,
    example: {
      ...mail,
      occurred_at,
      detail: { link: "https://example.com/receipt", ip: "203.0.113.9", user_agent: "Mozilla/5.0" },
    },
  }),
  "email.failed": eventKind({
    when: "The message was refused for good, or every try of it failed.",
    data: z.union([withReason, byProvider]),
    example: { ...mail, reason: "The sending account refused the address." },
  }),
  "email.suppressed": eventKind({
    when: "The message was held back, because its recipient is on a suppression list.",
    data: byProvider,
    example: { ...mail, occurred_at, detail: { reason: "The address bounced before." } },
  }),
  "email.unknown": eventKind({
    when: "Nobody can say whether the message went out, and it is not sent again by itself.",
    data: withReason,
    example: { ...mail, reason: "An earlier try ended without an answer." },
  }),
  "email.cancelled": eventKind({
    when: "A queued message was taken back before it went out.",
    data: withReason,
    example: { ...mail, reason: "Its API key was revoked." },
  }),
};
