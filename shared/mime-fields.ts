import { decodeWords, type Email } from "postal-mime";
import { type Address, addressKey, parseAddress } from "./addresses.ts";
import { type Defects, limits, shortened } from "./mime-caps.ts";
import { storableLine, storableText } from "./storable-text.ts";

/** What the header of a mail says, as ParsedMessage names it. */
export interface MailFields {
  from: Address | null;
  to: Address[];
  cc: Address[];
  reply_to: Address[];
  subject: string;
  /** RFC 3339, null when there is none that can be read. */
  date: string | null;
  message_id: string | null;
  in_reply_to: string | null;
  references: string[];
  /** In the order they stand, unfolded and not decoded. */
  headers: { name: string; value: string }[];
}

type ParsedMailbox = NonNullable<Email["from"]>;

/** Strict where it can be; what real servers send ("MAILER-DAEMON") is kept as it is and flagged. */
function toAddress(given: { name: string; address: string }, defects: Defects): Address[] {
  const name = storableLine(given.name, 256) || null;
  const written = storableLine(given.address, 320);
  let address: Address;
  try {
    address = { ...parseAddress({ email: written }), name };
  } catch {
    defects.add("invalid_address");
    address = written === "" ? { email: name ?? "", name: null } : { email: written, name };
  }
  const claimed = /[^\s"'<>(),;:@]+@[^\s"'<>(),;:@]+\.[^\s"'<>(),;:@]+/.exec(name ?? "")?.[0];
  const misleading = claimed !== undefined && addressKey(claimed) !== addressKey(address.email);
  if (misleading || /\p{Bidi_Control}/u.test(name ?? "")) defects.add("suspicious_display_name");
  return address.email === "" ? [] : [address];
}

function toAddresses(given: ParsedMailbox[] | undefined, defects: Defects): Address[] {
  const flat = (given ?? []).flatMap((each) => each.group ?? [each]);
  if (flat.length > limits.addresses) defects.add("too_many_addresses");
  return flat.slice(0, limits.addresses).flatMap((each) => toAddress(each, defects));
}

function headerValues(email: Email, name: string): string[] {
  return email.headers.filter((header) => header.key === name).map((header) => header.value);
}

/** Message ids with their brackets. Some senders leave the brackets out. */
function messageIds(values: string[]): string[] {
  return values.flatMap((value) => {
    const ids = value.match(/<[^<>\s]{1,900}>/g) ?? [];
    const bare = ids.length === 0 ? /^[^<>\s]{1,900}$/.exec(value.trim())?.[0] : undefined;
    return (bare === undefined ? ids : [`<${bare}>`]).map(storableText);
  });
}

/** The thread's first message and the nearest ancestors. */
function referencesOf(email: Email): string[] {
  const ids = [...new Set(messageIds(headerValues(email, "references")))];
  return ids.length <= limits.references ? ids : [...ids.slice(0, 1), ...ids.slice(1 - limits.references)];
}

function dateOf(email: Email, defects: Defects): string | null {
  const [value] = headerValues(email, "date");
  if (value === undefined) return null;
  const date = new Date(value.slice(0, 200));
  const year = date.getUTCFullYear();
  if (year >= 1970 && year <= 9999) return date.toISOString();
  defects.add("invalid_date");
  return null;
}

function headersOf(email: Email, defects: Defects): MailFields["headers"] {
  if (email.headers.length > limits.headers) defects.add("too_many_headers");
  return email.headers.slice(0, limits.headers).map(({ originalKey, value }) => ({
    name: shortened(originalKey, 200, "header_shortened", defects),
    value: shortened(value, limits.headerValue, "header_shortened", defects),
  }));
}

function noteDuplicates(email: Email, defects: Defects): void {
  const once = ["from", "sender", "subject", "date", "message-id", "in-reply-to"];
  if (once.some((name) => headerValues(email, name).length > 1)) defects.add("duplicate_header");
}

/** Reads the header of a mail that postal-mime has taken apart, within the caps. */
export function fieldsOf(email: Email, defects: Defects): MailFields {
  noteDuplicates(email, defects);
  const [from = null] = toAddresses(email.from === undefined ? [] : [email.from], defects);
  if (from === null) defects.add("missing_from");
  const [subject = ""] = headerValues(email, "subject");
  return {
    from,
    to: toAddresses(email.to, defects),
    cc: toAddresses(email.cc, defects),
    reply_to: toAddresses(email.replyTo, defects),
    subject: storableLine(decodeWords(subject.slice(0, limits.headerValue)), limits.subject),
    date: dateOf(email, defects),
    message_id: messageIds(headerValues(email, "message-id"))[0] ?? null,
    in_reply_to: messageIds(headerValues(email, "in-reply-to"))[0] ?? null,
    references: referencesOf(email),
    headers: headersOf(email, defects),
  };
}
