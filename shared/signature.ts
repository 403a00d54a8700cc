import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** Standard Webhooks: a request older or newer than this is not accepted. */
const toleranceSeconds = 300;
const prefix = "whsec_";

/** A new signing secret: `whsec_` and 32 random bytes in base64. */
export function newWebhookSecret(): string {
  return prefix + randomBytes(32).toString("base64");
}

/** The bytes behind a secret, with or without `whsec_`; null when it is not base64 or empty. */
function keyOf(secret: string): Uint8Array | null {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : secret;
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/.test(text)) return null;
  const key = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return key.length === 0 ? null : key;
}

function standardSignature(
  key: Uint8Array,
  id: string,
  timestamp: string,
  body: Uint8Array | string,
): string {
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
}

/** What a webhook of ours carries so that its receiver can check it. */
export interface SignedHeaders {
  "x-mailpipe-signature": string;
  "webhook-id": string;
  "webhook-timestamp": string;
  "webhook-signature": string;
}

/**
 * Headers for one try at a webhook (DESIGN §10). While a rotation's overlap lasts there is a previous secret:
 * `webhook-signature` then holds a `v1,` entry for each, the current first. `x-mailpipe-signature` has room for one: it is
 * the lower-case hex HMAC-SHA256 of the body keyed with the previous secret until the overlap is over, then with the
 * current one, each as written, `whsec_` included. So a receiver that knows one secret has the whole overlap to learn the
 * other. Throws on a secret that is not ours.
 */
export function signWebhook(
  webhook: {
    id: string;
    timestampSeconds: number;
    body: string;
    secret: string;
    previousSecret: string | null;
  },
): SignedHeaders {
  const { id, body, secret, previousSecret } = webhook;
  const timestamp = String(Math.floor(webhook.timestampSeconds));
  const signatures = [secret, previousSecret].filter((each) => each !== null).map((each) => {
    const key = keyOf(each);
    if (key === null) throw new Error("a webhook secret is not base64");
    return `v1,${standardSignature(key, id, timestamp, body)}`;
  });
  return {
    "x-mailpipe-signature": createHmac("sha256", previousSecret ?? secret).update(body).digest("hex"),
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}

interface Claim {
  id: string;
  timestamp: string;
  signatures: string[];
}

/** All three headers of one spelling; the two spellings are never mixed. */
function claimOf(headers: Record<string, string>): Claim | null {
  for (const family of ["svix", "webhook"]) {
    const id = headers[`${family}-id`];
    const timestamp = headers[`${family}-timestamp`];
    const signature = headers[`${family}-signature`];
    if (id && timestamp && signature) return { id, timestamp, signatures: signature.split(" ").slice(0, 20) };
  }
  return null;
}

function matches(expected: string, signature: string): boolean {
  const [given, wanted] = [new TextEncoder().encode(signature), new TextEncoder().encode(`v1,${expected}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * Checks a Standard Webhooks signature (`webhook-*` or `svix-*` headers, names in lower case) over the raw bytes.
 * Returns the event's id, or null when a header is missing, the time is more than 5 minutes off, or nothing matches.
 * The standardwebhooks package is not used here: it reads the body as UTF-8 text, and a raw mail is not.
 */
export function verifyStandardWebhook(
  request: { headers: Record<string, string>; body: Uint8Array; secret: string; now: Date },
): { id: string } | null {
  const claim = claimOf(request.headers);
  const key = keyOf(request.secret);
  if (claim === null || key === null) return null;
  if (!/^[!-~]{1,256}$/.test(claim.id) || !/^\d{1,12}$/.test(claim.timestamp)) return null;
  if (Math.abs(request.now.getTime() / 1000 - Number(claim.timestamp)) > toleranceSeconds) return null;
  const expected = standardSignature(key, claim.id, claim.timestamp, request.body);
  return claim.signatures.some((signature) => matches(expected, signature)) ? { id: claim.id } : null;
}
