import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import nodemailer from "nodemailer";
import type { Address } from "./addresses.ts";
import { bracketedId, customHeaderProblem, headerTextProblem } from "./headers.ts";
import type { OutgoingAttachment, OutgoingMessage } from "./providers/contract.ts";
import { storableText } from "./storable-text.ts";

const mediaType =
  /^(?!multipart\/|message\/)[a-z0-9][\w.+-]{0,126}\/[a-z0-9][\w.+-]{0,126}(?:; ?[\w-]{1,40}=(?:[\w.+:/-]{1,100}|"[\w .+:/-]{1,100}"))*$/i;

const composer = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: "windows" });

/**
 * One line of text. A run of blanks longer than a folded line would leave a line of blanks only, which servers cut; an
 * encoded word that hides a line break is taken apart.
 */
function headerText(text: string): string {
  const line = storableText(text).replace(/[\p{Cc}\u2028\u2029]+/gu, " ").replace(/[ \t]{50,}/g, " ").trim();
  return headerTextProblem(line) === null ? line : line.replaceAll("=?", "= ?");
}

function mailbox({ email, name }: Address): { name: string; address: string } {
  // An address goes out unencoded, and nodemailer folds at every Unicode blank, not only where a fold is allowed.
  return { name: headerText(name ?? ""), address: headerText(email.replace(/\p{Z}/gu, " ")) };
}

/** SMTP knows one line end; a bare CR or LF is where smuggled messages begin. */
function bodyText(text: string): string {
  return storableText(text).replace(/\r\n?|\n/g, "\r\n");
}

function checkedId(id: string): string {
  if (bracketedId(id) !== id) throw new TypeError(`${JSON.stringify(id)} is not a message id`);
  return id;
}

function attachmentPart({ filename, content_type, content_id, bytes }: OutgoingAttachment) {
  return {
    filename: headerText(filename) || "attachment",
    // A multipart/* or message/* part may not be base64 (RFC 2045 §6.4): as octets the file arrives as it was.
    contentType: mediaType.test(content_type) ? content_type : "application/octet-stream",
    content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    ...(content_id === null ? {} : { cid: content_id.replace(/[^!-;=?-~]/g, "") }),
  };
}

function customHeaders(headers: Record<string, string>): { key: string; value: string }[] {
  return Object.entries(headers).map(([key, value]) => {
    const problem = customHeaderProblem(key, value);
    if (problem !== null) throw new TypeError(`header ${JSON.stringify(key)} ${problem}`);
    return { key, value: headerText(value) };
  });
}

/**
 * The same for the same message, so that a repeated try sends the same bytes, and out of the content's own hash, so
 * that no content can contain it.
 */
function boundaryOf(message: OutgoingMessage): string {
  const hash = createHash("sha256");
  for (const text of [message.id, message.text ?? "", message.html ?? ""]) hash.update(text).update("\0");
  for (const { bytes } of message.attachments) hash.update(bytes);
  return hash.digest("hex").slice(0, 32);
}

/**
 * The message as RFC 5322 bytes with CRLF line ends, the same on every call. Bcc is never in it. Line breaks and
 * control characters in any field become blanks and malformed ids are left out: validation has refused them before.
 * Throws TypeError for a custom header that customHeaderProblem refuses and for a Message-ID that is none.
 */
export async function composeMessage(message: OutgoingMessage): Promise<Uint8Array> {
  const { references, text, html } = message;
  const inReplyTo = message.in_reply_to === null ? null : bracketedId(message.in_reply_to);
  const { message: bytes } = await composer.sendMail({
    from: mailbox(message.from),
    to: message.to.map(mailbox),
    cc: message.cc.map(mailbox),
    replyTo: message.reply_to.map(mailbox),
    subject: headerText(message.subject),
    messageId: checkedId(message.message_id),
    date: new Date(message.created_at),
    ...(inReplyTo === null ? {} : { inReplyTo }),
    references: references.map(bracketedId).filter((id) => id !== null),
    headers: customHeaders(message.headers),
    ...(text === null && html !== null ? {} : { text: bodyText(text ?? "") }),
    ...(html === null ? {} : { html: bodyText(html) }),
    attachments: message.attachments.map(attachmentPart),
    // nodemailer would respell a name's case.
    normalizeHeaderKey: (key) =>
      Object.keys(message.headers).find((name) => name.toLowerCase() === key.toLowerCase()) ?? key,
    baseBoundary: boundaryOf(message),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return bytes as unknown as Uint8Array;
}
