import { storableText } from "./storable-text.ts";

/** RFC 5322 ftext: printable ASCII but the colon. 76 keeps name and value on one line of 78. */
export const headerName = /^[!-9;-~]{1,76}$/;

/** RFC 5322 §2.1.1: a line carries at most 998 characters. */
export const headerValueLength = 998;

/** Set by us, by the provider or by the servers on the way; a caller may not. */
export const forbiddenHeaders: ReadonlySet<string> = new Set([
  "apparently-to",
  "authentication-results",
  "bcc",
  "cc",
  "date",
  "delivered-to",
  "dkim-signature",
  "domainkey-signature",
  "envelope-to",
  "from",
  "in-reply-to",
  "message-id",
  "mime-version",
  "received",
  "received-spf",
  "references",
  "reply-to",
  "return-path",
  "sender",
  "subject",
  "to",
]);

const forbiddenFamilies = ["arc-", "content-", "resent-"];

// C0, DEL, C1, line and paragraph separator.
const lineOrControl = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function decodesToLineBreak(encoding: string, payload: string): boolean {
  if (encoding.toLowerCase() === "q") return /=0[ad]/i.test(payload);
  try {
    return /[\r\n]/.test(atob(payload));
  } catch {
    return false;
  }
}

function encodedWordHidesLineBreak(text: string): boolean {
  const words = text.matchAll(/=\?[^?\s]+\?([bq])\?([^?]*)\?=/gi);
  return [...words].some(([, encoding = "", payload = ""]) => decodesToLineBreak(encoding, payload));
}

/**
 * Why a text may not become part of a header (subject, display name, file name), or null when it may.
 * Refused: line breaks and control characters, also percent-encoded or inside an RFC 2047 encoded word.
 */
export function headerTextProblem(text: string): string | null {
  if (lineOrControl.test(text)) return "must not contain line breaks or control characters";
  if (/%0d%0a/i.test(text) || encodedWordHidesLineBreak(text)) {
    return "must not contain an encoded line break";
  }
  return null;
}

/** True for a header only Mailpipe, the provider or a mail server may set. */
export function isForbiddenHeader(name: string): boolean {
  const key = name.toLowerCase();
  return forbiddenHeaders.has(key) || forbiddenFamilies.some((family) => key.startsWith(family));
}

/** Why a custom header may not be sent, as the end of a sentence about it, or null when it may. */
export function customHeaderProblem(name: string, value: string): string | null {
  if (!headerName.test(name)) {
    return "is not a header name (1 to 76 printable ASCII characters without a colon)";
  }
  if (isForbiddenHeader(name)) return "is set by Mailpipe and cannot be chosen";
  if (value.trim() === "") return "must not be empty";
  if (name.length + 2 + value.length > headerValueLength) {
    return `must be at most ${headerValueLength} characters together with its name`;
  }
  if (lineOrControl.test(value)) return "must not contain line breaks or control characters";
  if (storableText(value) !== value) return "must not contain half a character";
  return encodedWordHidesLineBreak(value) ? "must not contain an encoded line break" : null;
}

/** An id (Message-ID, Content-ID) without the angle brackets it may stand in. */
export function bareId(id: string): string {
  return id.replace(/^<|>$/g, "");
}

/**
 * A message id as In-Reply-To and References carry it: printable ASCII in angle brackets, which are added where they
 * are missing, and short enough for a line (RFC 5322 §3.6.4). Null when it is not one.
 */
export function bracketedId(id: string): string | null {
  const bracketed = `<${bareId(id)}>`;
  return /^<[!-;=?-~]{1,900}>$/.test(bracketed) ? bracketed : null;
}
