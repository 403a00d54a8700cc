import PostalMime from "postal-mime";
import { eventually, same } from "./expect.ts";
import type { KeptMail } from "../mail-store.ts";

/** Every value a byte can have, ten times: what no transport may change. */
const BYTES = Uint8Array.from({ length: 2560 }, (_, index) => index % 256);

/** The mail the demo sends: non-ASCII everywhere, a subject longer than a line, text, HTML and a file. */
export const MAIL = {
  subject:
    "Grüße aus Köln 🌉 – 東京の皆さんへ, with a subject that no mail program may break while folding its line",
  text: "Guten Tag,\n\n.a line that begins with a dot, and one with 日本語 and emoji 🎉.\n\nViele Grüße\n",
  html:
    '<p>Guten Tag,</p>\n<p>hier ist <b>日本語</b> &amp; ein <a href="https://example.com/?a=1&amp;b=ü">Link</a>.</p>\n',
  attachment: { filename: "Übersicht für März.bin", content_type: "application/octet-stream", bytes: BYTES },
};

/** The mail as send-mail takes it. */
export function mailBody(from: string, to: string, providerId?: string): Record<string, unknown> {
  const { subject, text, html, attachment: { filename, content_type, bytes } } = MAIL;
  const content = Buffer.from(bytes).toString("base64");
  return {
    from,
    to: [to],
    subject,
    text,
    html,
    attachments: [{ filename, content, content_type }],
    ...(providerId === undefined ? {} : { provider_id: providerId }),
  };
}

/** Every mail the SMTP server took for `to`. */
export async function mailsTo(mailUrl: string, to: string): Promise<KeptMail[]> {
  const { data } = await (await fetch(mailUrl)).json() as { data: KeptMail[] };
  return data.filter((mail) => mail.to.includes(to));
}

/** Waits for the mail to `to`, reads it as its recipient would and compares; resolves to its Message-ID without brackets. */
export async function readBack(mailUrl: string, to: string): Promise<string> {
  const kept = await eventually(
    "the SMTP server to take the mail",
    async () => (await mailsTo(mailUrl, to))[0],
  );
  const raw = await (await fetch(`${mailUrl}/${kept.id}`)).arrayBuffer();
  const mail = await PostalMime.parse(raw, { attachmentEncoding: "arraybuffer" });
  same("the subject", mail.subject, MAIL.subject);
  same("the text", lines(mail.text), lines(MAIL.text));
  same("the HTML", lines(mail.html), lines(MAIL.html));
  const [file, ...more] = mail.attachments;
  same("the number of attachments", more.length, 0);
  same("the attachment's name", file?.filename, MAIL.attachment.filename);
  same("the attachment's bytes", new Uint8Array(file?.content as ArrayBuffer), MAIL.attachment.bytes);
  return (mail.messageId ?? "").replace(/^<|>$/g, "");
}

/** Line ends and the last line's end are a mail program's own affair (RFC 5322 §2.3). */
function lines(text: string | null | undefined): string[] {
  return (text ?? "").trimEnd().split(/\r?\n/);
}
