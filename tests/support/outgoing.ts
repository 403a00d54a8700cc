import type { OutgoingMessage } from "../../shared/providers/contract.ts";

/** A message as deliver-mail hands it to a provider; what a test cares about goes into `changes`. */
export function outgoing(changes: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    id: "msg_01JDPZ0000000000000000000",
    from: { email: "ada@example.com", name: "Ada" },
    to: [{ email: "bob@example.net", name: null }],
    cc: [],
    bcc: [],
    reply_to: [],
    subject: "Hello",
    text: "Hello Bob",
    html: null,
    headers: {},
    tags: [],
    metadata: {},
    attachments: [],
    message_id: "<msg_01@example.com>",
    in_reply_to: null,
    references: [],
    created_at: "2025-01-02T03:04:05.678Z",
    ...changes,
  };
}
