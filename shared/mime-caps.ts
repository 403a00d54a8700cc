import { storableText } from "./storable-text.ts";

/** What was wrong with a message, or was left out of what was read of it. The raw bytes always keep all of it. */
export type Defect =
  | "too_deep"
  | "too_many_parts"
  | "headers_too_large"
  | "too_many_headers"
  | "header_shortened"
  | "body_shortened"
  | "too_many_addresses"
  | "invalid_address"
  | "invalid_date"
  | "duplicate_header"
  | "missing_from"
  | "suspicious_display_name"
  | "unparsable";

/** Collects the defects of one message. */
export type Defects = Set<Defect>;

/** How much of a message is read. Characters, but for `headerBytes`. */
export const limits = {
  depth: 100,
  parts: 1_000,
  headerBytes: 1_048_576,
  headers: 500,
  headerValue: 8_192,
  subject: 2_000,
  body: 2_000_000,
  addresses: 500,
  references: 50,
};

const LF = 0x0a;
const CR = 0x0d;
const DASH = 0x2d;

/** Where the line after `count` delimiter-like lines ("--…") begins, or -1 when there are no more than that. */
function afterDelimiters(raw: Uint8Array, count: number): number {
  let seen = 0;
  for (let start = 0; start < raw.length;) {
    if (raw[start] === DASH && raw[start + 1] === DASH && ++seen > count) return start;
    const end = raw.indexOf(LF, start);
    if (end === -1) return -1;
    start = end + 1;
  }
  return -1;
}

/**
 * True when the message is one text. Any other mention of a content type, however spelled, folded or commented, may
 * be a multipart to the parser.
 */
function isPlainlyText(raw: Uint8Array): boolean {
  const header = new TextDecoder("latin1").decode(headerBlock(raw, raw.length));
  return !/content-type(?![ \t]*:[ \t]*text\/(?:plain|html)\b)/i.test(header);
}

/**
 * The message cut so that it cannot open more than some thousand parts, and whether it was cut. Every part begins
 * with a line of its own starting "--"; four such lines for each allowed part leave room for text that has them too.
 */
export function partsPrefix(raw: Uint8Array, parts: number): [Uint8Array, boolean] {
  const end = isPlainlyText(raw) ? -1 : afterDelimiters(raw, 4 * parts);
  return end === -1 ? [raw, false] : [raw.subarray(0, end), true];
}

/** The message up to where it has opened as many parts as it may have levels: so far it cannot be too deep. */
export function deepestPrefix(raw: Uint8Array, depth: number): Uint8Array {
  const end = afterDelimiters(raw, depth);
  return end === -1 ? raw : raw.subarray(0, end);
}

/** The header of the message, at most its first `size` bytes cut at a line's end. */
export function headerBlock(raw: Uint8Array, size = 262_144): Uint8Array {
  const head = raw.subarray(0, size);
  for (let end = head.indexOf(LF); end !== -1; end = head.indexOf(LF, end + 1)) {
    const blank = head[end + 1] === LF || (head[end + 1] === CR && head[end + 2] === LF);
    if (blank) return head.subarray(0, end + 1);
  }
  const last = head.lastIndexOf(LF);
  return last === -1 || head.length === raw.length ? head : head.subarray(0, last + 1);
}

/** Text that Postgres takes, cut to a length; cutting it is noted as the defect. */
export function shortened(text: string, length: number, defect: Defect, defects: Defects): string {
  const clean = storableText(text);
  if (clean.length <= length) return clean;
  defects.add(defect);
  return storableText(clean.slice(0, length));
}
