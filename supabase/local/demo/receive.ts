import { createHash } from "node:crypto";
import { type Answer, expectCall } from "./calls.ts";
import type { Connection } from "./connect.ts";
import type { Demo } from "./demo.ts";
import { eventually, same, Unexpected } from "./expect.ts";
import { MAIL } from "./mail.ts";
import { verify } from "./receiver.ts";
import { postInbound, REPLY, replyTo } from "./reply.ts";
import { message, type Sent } from "./send.ts";
import { step } from "./step.ts";

/** The nine fields of `email.received` in Mailpipe's documentation. */
const ANNOUNCED = [
  ...["from", "has_attachments", "mailbox_email", "mailbox_id", "message_id", "received_at", "snippet"],
  ...["subject", "to"],
];

/** Has the friend's answer arrive: parsed, stored, threaded and announced, its file as it was attached. */
export async function receive(demo: Demo, { key, endpoint }: Connection, sent: Sent): Promise<void> {
  const { stack, tell, friend } = demo;
  const raw = await replyTo(sent.messageId, friend, stack.mailbox);
  await step(tell, "Post the answer to it as a mail server does", async (note) => {
    const answer = await postInbound(stack, raw, friend);
    same("the answer's status", answer.status, 200);
    note(`${raw.length} characters of MIME`);
  });
  const shown = await step(tell, "Find it parsed, in the same thread", async (note) => {
    const found = await message(demo, key, await answerIn(demo, key, sent.thread_id));
    checkParsed(demo, found, sent);
    note(String(found["id"]));
    return found;
  });
  await step(tell, "Hear it announced with its nine fields", async (note) => {
    const webhook = await demo.receiver.about("email.received", String(shown["id"]));
    checkAnnounced(demo, webhook.data, shown);
    verify(webhook, endpoint.secret);
    note("email.received");
  });
  await step(tell, "Download the files of both mails", async (note) => {
    const [ours] = await filesOf(await message(demo, key, sent.id));
    same("our file's SHA-256", ours, sha256(MAIL.attachment.bytes));
    same("the answer's file's SHA-256", (await filesOf(shown))[0], REPLY.sha256);
    same("the raw mail's SHA-256", await download(String(shown["raw_url"])), sha256(Buffer.from(raw)));
    note("through signed links, as downloads");
  });
}

/** The id of the inbound message in the thread, once it is there. */
function answerIn({ stack }: Demo, as: Connection["key"], thread: string): Promise<string> {
  const path = `messages?direction=inbound&thread_id=${thread}`;
  return eventually("the answer to appear in the mail's thread", async () => {
    const { body } = await expectCall(stack, 200, { method: "GET", path, as });
    return (body["data"] as { id: string }[])[0]?.id;
  });
}

function checkParsed({ stack, friend }: Demo, shown: Answer["body"], sent: Sent): void {
  same("the subject", shown["subject"], REPLY.subject);
  same("the sender", shown["from"], `${REPLY.fromName} <${friend}>`);
  same("the text's beginning", String(shown["text"]).slice(0, REPLY.textStart.length), REPLY.textStart);
  same("the HTML's beginning", String(shown["html"]).slice(0, REPLY.htmlStart.length), REPLY.htmlStart);
  same("what it answers", shown["in_reply_to"], sent.messageId);
  same("the thread", shown["thread_id"], sent.thread_id);
  same("the status", shown["status"], "received");
  const [file] = shown["attachments"] as { filename: string; content_type: string }[];
  same("the file", [file?.filename, file?.content_type], [REPLY.filename, REPLY.contentType]);
  if (shown["mailbox_id"] === null) throw new Unexpected(`expected the mail in the mailbox ${stack.mailbox}`);
}

function checkAnnounced({ stack }: Demo, data: Record<string, unknown>, shown: Answer["body"]): void {
  same("the fields of email.received", Object.keys(data).sort(), ANNOUNCED);
  same("mailbox_email", data["mailbox_email"], stack.mailbox);
  same("has_attachments", data["has_attachments"], true);
  for (const field of ["mailbox_id", "from", "to", "subject", "snippet"]) {
    same(field, data[field], shown[field]);
  }
}

async function filesOf(shown: Answer["body"]): Promise<string[]> {
  return await Promise.all((shown["attachments"] as { url: string }[]).map(({ url }) => download(url)));
}

async function download(url: string): Promise<string> {
  const answer = await fetch(url);
  same("a download's status", answer.status, 200);
  same("a download's type", answer.headers.get("content-type"), "application/octet-stream");
  same("a download's disposition", answer.headers.get("content-disposition")?.split(";")[0], "attachment");
  return sha256(new Uint8Array(await answer.arrayBuffer()));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
