import { randomUUID } from "node:crypto";
import { type Answer, type Call, expectCall } from "./calls.ts";
import type { Connection } from "./connect.ts";
import type { Demo } from "./demo.ts";
import { eventually, same } from "./expect.ts";
import { MAIL, mailBody, readBack } from "./mail.ts";
import { verify } from "./receiver.ts";
import { step } from "./step.ts";

/** A mail that went out. */
export interface Sent {
  id: string;
  thread_id: string;
  /** The Message-ID its recipient sees, without its brackets. */
  messageId: string;
  /** The call that sent it, for a repeat. */
  request: Call;
}

/** Sends a mail through the SMTP server, reads it back there, and sees it become an event and a webhook. */
export async function send(demo: Demo, connection: Connection): Promise<Sent> {
  const { stack, tell, friend, receiver } = demo;
  const accepted = await step(tell, "Send a mail with text, HTML and a file", async (note) => {
    const taken = await accept(demo, connection);
    note(`${taken.id} queued`);
    return taken;
  });
  const messageId = await step(tell, "Read it back at the SMTP server and compare", (note) => {
    note("subject, text, HTML and every byte of the file");
    return readBack(stack.mail_url, friend);
  });
  const sent = { ...accepted, messageId };
  await step(tell, "See it sent, as an event of the message", (note) => {
    note("email.sent");
    return showsSent(demo, connection, sent);
  });
  await step(tell, "Get the signed webhook and verify it both ways", async (note) => {
    note("Mailpipe's sample and standardwebhooks");
    verify(await receiver.about("email.sent", sent.id), connection.endpoint.secret);
  });
  return sent;
}

async function accept(
  { stack, friend }: Demo,
  { key, providerId }: Connection,
): Promise<Omit<Sent, "messageId">> {
  const request: Call = {
    method: "POST",
    path: "send-mail",
    as: key,
    body: mailBody(stack.from, friend, providerId),
    idempotencyKey: randomUUID(),
  };
  const { body: { id, thread_id, status } } = await expectCall(stack, 202, request);
  same("the status", status, "queued");
  return { id: String(id), thread_id: String(thread_id), request };
}

/** A message as GET messages/<id> shows it. */
export async function message({ stack }: Demo, as: Connection["key"], id: string): Promise<Answer["body"]> {
  return (await expectCall(stack, 200, { method: "GET", path: `messages/${id}`, as })).body;
}

async function showsSent(demo: Demo, { key }: Connection, sent: Sent): Promise<void> {
  const shown = await eventually("the message to have an event email.sent", async () => {
    const now = await message(demo, key, sent.id);
    return typesOf(now).includes("email.sent") ? now : undefined;
  });
  same("the status", shown["status"], "sent");
  same("the subject", shown["subject"], MAIL.subject);
  same("the Message-ID", shown["message_id"], sent.messageId);
  const [recipient] = shown["recipients"] as { address: string; status: string }[];
  same("the recipient", [recipient?.address, recipient?.status], [demo.friend, "sent"]);
}

function typesOf(shown: Answer["body"]): string[] {
  return (shown["events"] as { type: string }[]).map(({ type }) => type);
}
