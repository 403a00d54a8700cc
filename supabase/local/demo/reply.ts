import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Webhook } from "standardwebhooks";
import type { StackFile } from "../stack-file.ts";

/** What a mail program makes of reply.eml: three character sets, a split file name, an 8-bit part. */
export const REPLY = {
  subject: "Re: Grüße aus Köln 🌉 – 東京の皆さんへ",
  fromName: "Jürgen Müller",
  textStart: "Schönen Dank! Das kostet dann 12 €, oder?",
  htmlStart: '<div dir="ltr">Schönen Dank! Das kostet dann 12&nbsp;€, oder?',
  filename: "Brücke bei Nacht.png",
  contentType: "image/png",
  sha256: "d37cd36d94623fbf9d4dee1c49b2ab74c16258e70b4eb891027f1f927e4ecf3b",
};

/** The reply to the mail with `messageId`, as a mail server hands it on: CRLF at every line's end. */
export async function replyTo(messageId: string, from: string, to: string): Promise<string> {
  const template = await readFile(new URL("reply.eml", import.meta.url), "utf8");
  const values: Record<string, string> = {
    from,
    to,
    message_id: messageId,
    own_id: `CAF${randomUUID()}@mail.example.net`,
    date: new Date().toUTCString().replace("GMT", "+0000"),
  };
  return template
    .replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? "")
    .replace(/\r?\n/g, "\r\n");
}

/** Posts a mail as the customer's own mail server would, signed with the connection's secret by standardwebhooks. */
export async function postInbound(stack: StackFile, raw: string, from: string): Promise<Response> {
  const id = `demo_${randomUUID()}`;
  const now = new Date();
  return await fetch(stack.inbound_url, {
    method: "POST",
    headers: {
      "content-type": "message/rfc822",
      "x-mailpipe-envelope-from": from,
      "x-mailpipe-envelope-to": stack.mailbox,
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(stack.inbound_secret).sign(id, now, raw),
    },
    body: raw,
  });
}
