import PostalMime, { type Email } from "postal-mime";
import { bareId } from "./headers.ts";
import {
  deepestPrefix,
  type Defect,
  type Defects,
  headerBlock,
  limits,
  partsPrefix,
  shortened,
} from "./mime-caps.ts";
import { fieldsOf, type MailFields } from "./mime-fields.ts";
import { snippetOf } from "./mime-snippet.ts";
import { storableLine } from "./storable-text.ts";

/** A file in a mail that arrived; `bytes` are the decoded content. */
export interface ParsedAttachment {
  filename: string | null;
  content_type: string;
  /** Without its angle brackets. */
  content_id: string | null;
  disposition: "attachment" | "inline";
  bytes: Uint8Array;
}

/** A mail that arrived, in text that Postgres takes. Nothing in it is to be trusted. */
export interface ParsedMessage extends MailFields {
  text: string | null;
  html: string | null;
  /** The first 200 characters of the text, on one line. */
  snippet: string;
  attachments: ParsedAttachment[];
  defects: Defect[];
}

function reasonOf(error: unknown): Defect {
  const message = error instanceof Error ? error.message : "";
  if (/nesting depth/.test(message)) return "too_deep";
  return /header size/.test(message) ? "headers_too_large" : "unparsable";
}

/** The whole message, else what stands before it grew too deep, else its header, else nothing. */
async function parseWithinCaps(raw: Uint8Array, defects: Defects): Promise<Email> {
  const [bounded, cut] = partsPrefix(raw, limits.parts);
  if (cut) defects.add("too_many_parts");
  const shorter = [() => deepestPrefix(raw, limits.depth), () => headerBlock(raw), () => new Uint8Array()];
  for (const part of [() => bounded, ...shorter]) {
    try {
      return await PostalMime.parse(part(), {
        maxNestingDepth: limits.depth,
        maxHeadersSize: limits.headerBytes,
        // A forwarded message stays a file of its own: its text is not the sender's.
        forceRfc822Attachments: true,
      });
    } catch (error) {
      defects.add(reasonOf(error));
    }
  }
  throw new Error("an empty message did not parse");
}

function attachmentOf(
  { filename, mimeType, contentId, disposition, related, content }: Email["attachments"][number],
): ParsedAttachment {
  const type = storableLine(mimeType, 200).toLowerCase();
  const id = bareId(storableLine(contentId ?? "", 500));
  return {
    filename: filename === null ? null : storableLine(filename, 1_000) || null,
    content_type: /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : "application/octet-stream",
    content_id: id === "" ? null : id,
    disposition: disposition === "inline" || related === true ? "inline" : "attachment",
    bytes: typeof content === "string" ? new TextEncoder().encode(content) : new Uint8Array(content),
  };
}

function attachmentsOf(email: Email, defects: Defects): ParsedAttachment[] {
  if (email.attachments.length > limits.parts) defects.add("too_many_parts");
  return email.attachments.slice(0, limits.parts).map(attachmentOf);
}

function bodyOf(text: string | undefined, defects: Defects): string | null {
  return text === undefined ? null : shortened(text, limits.body, "body_shortened", defects);
}

/**
 * Reads a raw mail within caps (100 levels, 1,000 parts, 1 MiB of headers, 2 million characters of body), in time
 * linear in its size. Never throws for what the mail holds: what is wrong or left out is named in `defects`.
 */
export async function parseMessage(raw: Uint8Array): Promise<ParsedMessage> {
  const defects: Defects = new Set();
  const email = await parseWithinCaps(raw, defects);
  const fields = fieldsOf(email, defects);
  const text = bodyOf(email.text, defects);
  const html = bodyOf(email.html, defects);
  const attachments = attachmentsOf(email, defects);
  return { ...fields, text, html, snippet: snippetOf(text, html), attachments, defects: [...defects] };
}
