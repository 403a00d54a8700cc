import { parseAddress } from "../addresses.ts";
import { verifyStandardWebhook } from "../signature.ts";
import type { InboundKind } from "./contract.ts";

/** More than any transaction of a mail server brings. */
const recipients = 100;

function addressOf(text: string): string[] {
  try {
    return [parseAddress(text.trim()).email];
  } catch {
    return [];
  }
}

/** Commas separate, but not inside a quoted local part. What is no address is left out. */
function addressList(text: string): string[] {
  const parts = text.slice(0, 65_536).match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g) ?? [];
  return [...new Set(parts.flatMap(addressOf))].slice(0, recipients);
}

/**
 * Mail posted by the customer's own mail server or worker: the body is the raw message, the headers
 * `x-mailpipe-envelope-from` (empty for a bounce) and `-to` (a comma list) its envelope. Signed as Standard Webhooks
 * with the connection's inbound_secret; `webhook-id` names the event. The envelope is as trusted as whoever signs.
 */
export const mime: InboundKind = {
  kind: "mime",
  verify({ headers, body }, { inbound_secret }, now) {
    if (inbound_secret === null) return null;
    const verified = verifyStandardWebhook({ headers, body, secret: inbound_secret, now });
    return verified === null ? null : { event_key: verified.id };
  },
  interpret({ headers, body }) {
    const [envelope_from = null] = addressOf(headers["x-mailpipe-envelope-from"] ?? "");
    const envelope_to = addressList(headers["x-mailpipe-envelope-to"] ?? "");
    return Promise.resolve(
      body.length === 0 ? [] : [{ item: "mail", raw: body, envelope_from, envelope_to }],
    );
  },
};
