import { Buffer } from "node:buffer";
import { formatAddress } from "../addresses.ts";
import { bracketedId } from "../headers.ts";
import { callResend, type ResendAnswer, resendError, ResendUnreachable } from "../resend-api.ts";
import { retryAfterSeconds } from "../retry-after.ts";
import type { ResendCredentials } from "../schemas/providers.ts";
import { storableLine } from "../storable-text.ts";
import type { OutgoingMessage, Provider, Verdict } from "./contract.ts";

/** Resend takes ASCII letters, digits, _ and - only, and no name twice; our own tags are kept with our message. */
function tagsOf(message: OutgoingMessage): { name: string; value: string }[] {
  const safe = message.tags.map((tag) => tag.replace(/[^\w-]/g, "_").slice(0, 256)).filter((tag) =>
    tag !== "mailpipe_id"
  );
  return [
    { name: "mailpipe_id", value: message.id },
    ...[...new Set(safe)].map((tag) => ({ name: tag, value: tag })),
  ];
}

function threadHeaders({ in_reply_to, references }: OutgoingMessage): Record<string, string> {
  const parent = in_reply_to === null ? null : bracketedId(in_reply_to);
  const thread = references.map(bracketedId).filter((id) => id !== null);
  return {
    ...(parent === null ? {} : { "In-Reply-To": parent }),
    ...(thread.length === 0 ? {} : { "References": thread.join(" ") }),
  };
}

/**
 * The message in Resend's words. Message-ID and Date are set by Resend, which puts its own in place of any other; its
 * events name that id. Metadata is ours and stays here: Resend has no field that the recipient does not see.
 */
function bodyOf(message: OutgoingMessage): string {
  const { to, cc, bcc, reply_to, text, html, attachments } = message;
  const headers = { ...message.headers, ...threadHeaders(message) };
  return JSON.stringify({
    from: formatAddress(message.from),
    to: to.map(formatAddress),
    ...(cc.length === 0 ? {} : { cc: cc.map(formatAddress) }),
    ...(bcc.length === 0 ? {} : { bcc: bcc.map(formatAddress) }),
    ...(reply_to.length === 0 ? {} : { reply_to: reply_to.map(formatAddress) }),
    subject: message.subject,
    ...(text === null && html !== null ? {} : { text: text ?? "" }),
    ...(html === null ? {} : { html }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    ...(attachments.length === 0 ? {} : {
      attachments: attachments.map(({ filename, content_type, content_id, bytes }) => ({
        filename,
        content: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
        content_type,
        ...(content_id === null ? {} : { content_id }),
      })),
    }),
    tags: tagsOf(message),
  });
}

/** What Resend would drop without a word is refused with one. */
function unsendable({ to, attachments }: OutgoingMessage): string | null {
  if (to.length === 0) return "Resend needs at least one address in to.";
  if (attachments.some(({ filename }) => filename.trim() === "")) {
    return "Resend drops attachments without a file name.";
  }
  return null;
}

function refused(reason: string, status: number | null, credential_rejected = false): Verdict {
  return { outcome: "refused", reason, status, credential_rejected };
}

function accepted({ status, body }: ResendAnswer): Verdict {
  const { id } = (typeof body === "object" && body !== null ? body : {}) as { id?: unknown };
  if (typeof id !== "string" || !/^[\w-]{1,128}$/.test(id)) {
    return { outcome: "unknown", reason: `Resend answered ${status} without an id` };
  }
  return { outcome: "sent", provider_message_id: id, response: `${status} ${id}`, refused: [] };
}

/** Seconds until the rate limit opens again: Retry-After, else the draft's ratelimit-reset. */
function waitOf({ headers }: ResendAnswer): number | null {
  return retryAfterSeconds(headers.get("retry-after") ?? headers.get("ratelimit-reset"), new Date());
}

/**
 * What an answer means. Rate limits pass and quotas do not; a 5xx that Resend itself signs was not accepted, one of a
 * gateway before it may have been, and asking again with the same key is safe either way.
 */
function verdictOf(answer: ResendAnswer): Verdict {
  const { status, body } = answer;
  if (status >= 200 && status < 300) return accepted(answer);
  const { name, message } = resendError(body);
  const reason = storableLine(name === "" ? `Resend answered ${status}` : `${name}: ${message}`, 500);
  const retry = { outcome: "retry", reason, status, retry_after_seconds: waitOf(answer) } as const;
  if (/^(?:daily|monthly)_quota_exceeded$/.test(name)) return refused(reason, status);
  if (name === "concurrent_idempotent_requests" || status === 408 || status === 429) return retry;
  // The same key was taken with another body (an attachment's URL gave other bytes): the first may have gone out.
  if (name === "invalid_idempotent_request") return { outcome: "unknown", reason };
  if (status >= 500) return name !== "" || status === 503 ? retry : { outcome: "unknown", reason };
  return refused(reason, status, status === 401 || /_api_key$/.test(name));
}

/** Resend over its HTTP API. One message is one call; the message's id is the idempotency key, good for 24 hours. */
export const resend: Provider<ResendCredentials> = {
  kind: "resend",
  idempotent: true,
  async send(message, { api_key }) {
    const problem = unsendable(message);
    if (problem !== null) return refused(problem, null);
    try {
      const headers = { "idempotency-key": message.id };
      return verdictOf(
        await callResend("/emails", api_key, { method: "POST", headers, body: bodyOf(message) }),
      );
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const sent = !(error instanceof ResendUnreachable) || error.sent;
      return sent
        ? { outcome: "unknown", reason }
        : { outcome: "retry", reason, status: null, retry_after_seconds: null };
    }
  },
  /** Lists domains: a wrong key is refused, a key for sending only says that it is one. */
  async check({ api_key }) {
    try {
      const { status, body } = await callResend("/domains", api_key, { method: "GET" });
      const { name, message } = resendError(body);
      if (name === "restricted_api_key") return { ok: true };
      if (status === 401 || status === 403) {
        return { ok: false, reason: storableLine(`Resend refused the API key: ${message || status}`, 500) };
      }
      // Anything below 500 was answered past the key.
      return status < 500 && status !== 429
        ? { ok: true }
        : { ok: false, reason: `Resend cannot say now: it answered ${status}.` };
    } catch (error) {
      return { ok: false, reason: `${error instanceof Error ? error.message : error}.` };
    }
  },
};
