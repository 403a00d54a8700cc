import { z } from "zod";
import { AddressField } from "../addresses.ts";
import { customHeaderProblem, headerTextProblem } from "../headers.ts";
import { id, ShownTime, text } from "./fields.ts";

/** Bounds of DESIGN §14, counted. */
export const sendBounds = {
  bodyBytes: 35 * 1024 * 1024,
  attachmentBytes: 25 * 1024 * 1024,
  recipients: 50,
  headers: 50,
  tags: 10,
  metadataKeys: 50,
  metadataCharacters: 500,
} as const;

/** Text that becomes part of a header. */
function headerText(longest: number) {
  return text(longest).superRefine((given, context) => {
    const problem = headerTextProblem(given);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  });
}

const AddressList = z.union([
  AddressField.transform((one) => [one]),
  z.array(AddressField).max(sendBounds.recipients),
], {
  error: "must be an address or a list of at most 50 addresses",
});

const Recipients = z.array(AddressField).max(sendBounds.recipients + 1);

const Headers = z.record(z.string(), z.string()).superRefine((given, context) => {
  const names = Object.keys(given);
  if (names.length > sendBounds.headers) {
    // Comparing each name with all others is quadratic: a body of 35 MiB has room for millions.
    context.addIssue({ code: "custom", message: `must have at most ${sendBounds.headers} headers` });
    return;
  }
  const folded = names.map((name) => name.toLowerCase());
  for (const [index, name] of names.entries()) {
    if (folded.indexOf(name.toLowerCase()) !== index) {
      context.addIssue({
        code: "custom",
        path: [name],
        message: "is there twice: names differ only in case",
      });
    }
    const problem = customHeaderProblem(name, given[name] ?? "");
    if (problem !== null) context.addIssue({ code: "custom", path: [name], message: problem });
  }
});

const Metadata = z.record(text(100).min(1), text(sendBounds.metadataCharacters)).refine(
  (given) => Object.keys(given).length <= sendBounds.metadataKeys,
  { error: `must have at most ${sendBounds.metadataKeys} keys` },
);

// A repeated group of four would say it all, and overflows the engine's stack at 25 MiB.
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

const Base64 = z.string().refine((given) => given.length % 4 === 0 && base64.test(given), {
  error: "must be padded base64 without line breaks",
}).meta({ contentEncoding: "base64" });

const MediaType = z.string().max(200, { abort: true }).regex(
  /^[A-Za-z0-9!#$&^_.+-]+\/[A-Za-z0-9!#$&^_.+-]+(?:; ?[A-Za-z0-9-]+="?[A-Za-z0-9_.+-]+"?)*$/,
  "must be a media type like application/pdf",
);

/** One spelling or the other, not both: which would count is nobody's guess. */
function refuseBoth(
  given: Record<string, unknown>,
  pairs: [string, string][],
  context: z.RefinementCtx,
): void {
  for (const [ours, theirs] of pairs) {
    if (given[ours] !== undefined && given[theirs] !== undefined) {
      context.addIssue({
        code: "custom",
        path: [theirs],
        message: `is another spelling of ${ours}: give one`,
      });
    }
  }
}

const Attachment = z.strictObject({
  filename: headerText(255).min(1),
  content: Base64,
  content_type: MediaType.optional(),
  contentType: MediaType.optional(),
  content_id: z.string().regex(/^[A-Za-z0-9._@+-]{1,200}$/, "must be 1 to 200 of A-Z a-z 0-9 . _ @ + -")
    .optional(),
}).superRefine((given, context) => refuseBoth(given, [["content_type", "contentType"]], context))
  .transform(({ filename, content, content_type, contentType, content_id }) => ({
    filename,
    content,
    content_type: content_type ?? contentType ?? "application/octet-stream",
    content_id: content_id ?? null,
  }));

const tag = text(256).min(1).regex(/^[^\p{Cc}]*$/u, "must not contain control characters");

/** Body of POST send-mail: one message, in either spelling Mailpipe's documentation uses. */
export const SendMail = z.strictObject({
  from: AddressField,
  to: Recipients.min(1),
  cc: Recipients.default([]),
  bcc: Recipients.default([]),
  reply_to: AddressList.optional(),
  replyTo: AddressList.optional(),
  subject: headerText(998),
  text: text(sendBounds.bodyBytes).optional(),
  textBody: text(sendBounds.bodyBytes).optional(),
  html: text(sendBounds.bodyBytes).optional(),
  htmlBody: text(sendBounds.bodyBytes).optional(),
  headers: Headers.default({}),
  tags: z.array(tag).max(sendBounds.tags).default([]),
  metadata: Metadata.default({}),
  attachments: z.array(Attachment).max(100).default([]),
  provider_id: id("prv").optional(),
  wait: z.boolean().default(false),
}).superRefine((given, context) => {
  refuseBoth(given, [["reply_to", "replyTo"], ["text", "textBody"], ["html", "htmlBody"]], context);
  if (given.to.length + given.cc.length + given.bcc.length > sendBounds.recipients) {
    const message = `to, cc and bcc together must have at most ${sendBounds.recipients} recipients`;
    context.addIssue({ code: "custom", path: ["to"], message });
  }
  if ([given.text, given.textBody, given.html, given.htmlBody].every((body) => body === undefined)) {
    context.addIssue({ code: "custom", path: ["text"], message: "text or html is required" });
  }
}).transform(({ replyTo, textBody, htmlBody, ...given }) => ({
  ...given,
  reply_to: given.reply_to ?? replyTo ?? [],
  text: given.text ?? textBody ?? null,
  html: given.html ?? htmlBody ?? null,
}));
export type SendMail = z.infer<typeof SendMail>;

/** Answer of POST send-mail. With `wait` and a definite yes the status is that of the provider's verdict, 200. */
export const SentMail = z.object({
  id: z.string(),
  status: z.string(),
  thread_id: z.string(),
  created_at: ShownTime,
});
