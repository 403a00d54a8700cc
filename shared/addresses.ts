import { z } from "zod";
import { headerTextProblem } from "./headers.ts";
import { storableText } from "./storable-text.ts";

/** One mailbox: the domain in lower-case A-labels, the local part as it was written. */
export interface Address {
  email: string;
  name: string | null;
}

/** What was given is not exactly one address; the message is the end of a sentence about it. */
export class InvalidAddress extends Error {}

const forms = "a@b.example, Name <a@b.example> or { email, name }";
// RFC 5322 atext and the non-ASCII letters RFC 6531 adds; \p{C} and \p{Z} keep controls, bidi marks and spaces out.
const dotAtom =
  /^(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}])+(?:\.(?:[\w!#$%&'*+/=?^`{|}~-]|[^\p{ASCII}\p{C}\p{Z}])+)*$/u;
const quotedContent = /^(?:[ !#-[\]-~]|[^\p{ASCII}\p{C}\p{Z}]|\\[ -~])*$/u;
const named = /^(?:"((?:[^"\\]|\\.)*)"|([^"<>,;:\\@[\]]*))\s*<("(?:[^"\\]|\\.)*"@[^<>"]*|[^<>"]*)>$/u;
const hostname =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

function octets(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * A host name in lower-case A-labels (IDNA by the URL parser), or null when it is not one. IP literals in any
 * spelling and a trailing dot are not host names.
 */
export function normalHostname(text: string): string | null {
  // The URL parser would also decode "%", and read past "/", "?", "#", "@" and ":".
  if (/[^\p{L}\p{N}\p{M}.\-\u00ad\u200c\u200d\u3002\uff0e\uff61]/u.test(text)) return null;
  try {
    const host = new URL(`http://${text}/`).hostname;
    return hostname.test(host) && !/(?:^|\.)\d+$/.test(host) ? host : null;
  } catch {
    return null;
  }
}

function parseLocalPart(text: string): string {
  if (dotAtom.test(text)) return text;
  const quoted = /^"(.*)"$/su.exec(text)?.[1];
  if (quoted === undefined || !quotedContent.test(quoted)) {
    throw new InvalidAddress(`is not an address: use ${forms}`);
  }
  // One spelling for one mailbox: quotes stay only where they are needed.
  const plain = quoted.replace(/\\(.)/gu, "$1");
  return dotAtom.test(plain) ? plain : `"${plain.replace(/["\\]/g, "\\$&")}"`;
}

function parseSpec(text: string): string {
  const at = text.lastIndexOf("@");
  if (at < 1) throw new InvalidAddress(`is not an address: use ${forms}`);
  if (/^\[.*\]$/.test(text.slice(at + 1))) {
    throw new InvalidAddress("must have a domain name, not an IP address");
  }
  const local = parseLocalPart(text.slice(0, at));
  const domain = normalHostname(text.slice(at + 1));
  if (domain === null) throw new InvalidAddress("has a domain that is not a valid host name");
  if (octets(local) > 64) throw new InvalidAddress("has more than 64 octets before the @");
  const email = `${local}@${domain}`;
  if (octets(email) > 254) throw new InvalidAddress("is longer than 254 octets");
  return email;
}

function parseName(text: string): string | null {
  const name = text.trim();
  if (name.length > 256) throw new InvalidAddress("has a name of more than 256 characters");
  return name === "" ? null : name;
}

function parseText(text: string): Address {
  const match = named.exec(text);
  if (match !== null) {
    const name = match[1]?.replace(/\\(.)/gu, "$1") ?? match[2] ?? "";
    return { email: parseSpec(match[3]?.trim() ?? ""), name: parseName(name) };
  }
  const unquoted = text.replace(/"(?:[^"\\]|\\.)*"/gu, "");
  if (/:.*;/.test(unquoted)) throw new InvalidAddress("must be one address; groups are not supported");
  if (/[,;]/.test(unquoted)) {
    throw new InvalidAddress("must be exactly one address (put a name with a comma in quotes)");
  }
  return { email: parseSpec(text), name: null };
}

/**
 * Reads exactly one address: `a@b`, `Name <a@b>`, `"Quoted, Name" <a@b>` or `{ email, name }`.
 * Lists, groups, comments, IP literals, control characters and encoded line breaks are refused (RFC 5321, 5322,
 * 6531; 64 octets before the @, 254 in all, 256 characters of name). Throws InvalidAddress.
 */
export function parseAddress(given: string | { email: string; name?: string | null | undefined }): Address {
  const parts = typeof given === "string" ? [given] : [given.email, given.name ?? ""];
  for (const part of parts) {
    if (part.length > 1000) throw new InvalidAddress("is too long");
    const problem = headerTextProblem(part);
    if (problem !== null) throw new InvalidAddress(problem);
    if (storableText(part) !== part) throw new InvalidAddress("must not contain half a character");
  }
  if (typeof given === "string") return parseText(given.trim());
  return { email: parseSpec(given.email.trim()), name: parseName(given.name ?? "") };
}

/** The same text for every spelling of one mailbox: for comparing and suppressing, never for sending. */
export function addressKey(email: string): string {
  try {
    return parseAddress({ email }).email.normalize("NFC").toLowerCase();
  } catch {
    return email.trim().normalize("NFC").toLowerCase();
  }
}

/** `Name <a@b>` with RFC 5322 quoting where the name needs it. Non-ASCII stays: encoding is the composer's job. */
export function formatAddress(address: Address): string {
  if (address.name === null) return address.email;
  const plain = /^[\p{L}\p{N}\p{M}!#$%&'*+\-/=?^_`{|}~ ]+$/u.test(address.name);
  const name = plain ? address.name : `"${address.name.replace(/["\\]/g, "\\$&")}"`;
  return `${name} <${address.email}>`;
}

/** A body field holding one address in any of the forms DESIGN §14 takes; yields an Address. */
export const AddressField = z.union(
  [z.string(), z.strictObject({ email: z.string(), name: z.string().nullish() })],
  { error: `must be an address: ${forms}` },
).transform((given, context): Address => {
  try {
    return parseAddress(given);
  } catch (error) {
    const message = error instanceof InvalidAddress ? error.message : "is not an address";
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
});
