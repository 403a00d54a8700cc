import { z } from "zod";
import { id, ShownTime } from "../fields.ts";
import { eventKind } from "./event-kind.ts";

/** The nine fields Mailpipe documents, no more and no less. */
const Received = z.strictObject({
  message_id: id("msg"),
  mailbox_id: id("mbx").nullable().describe("null for mail that reached no mailbox"),
  mailbox_email: z.string().nullable(),
  from: z.string().describe("`Name <address>`, or the address alone"),
  to: z.array(z.string()).describe("spelled as `from`"),
  subject: z.string(),
  snippet: z.string().describe("how its text begins, 200 characters at most"),
  has_attachments: z.boolean(),
  received_at: ShownTime,
});

/** Events of mail that arrives. */
export const receivedMailEvents = {
  "email.received": eventKind({
    when:
      "A mail arrived and was stored; once for each mailbox it reached, unless its mail is not announced.",
    data: Received,
    example: {
      message_id: "msg_01KXYW5B1R7F3H9K2M4P6S8VXZ",
      mailbox_id: "mbx_01KXYTQ8G2A4C6E8H1K3M5P7RT",
      mailbox_email: "hello@example.com",
      from: "Ada <ada@example.net>",
      to: ["hello@example.com"],
      subject: "Re: Your receipt",
      snippet: "Thank you.",
      has_attachments: false,
      received_at: "2026-11-24T10:00:03.398Z",
    },
  }),
};
