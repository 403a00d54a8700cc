import type { SMTPSentMessageInfo } from "nodemailer";
import { EgressFailed, EgressRefused } from "../egress.ts";
import type { SmtpCredentials } from "../schemas/providers.ts";
import { storableLine } from "../storable-text.ts";
import type { Verdict } from "./contract.ts";

/** The parts of a nodemailer error that count. */
interface SmtpError {
  code: string;
  status: number | null;
  /** The server's reply, else what happened. */
  text: string;
}

function read(error: unknown): SmtpError {
  const fields = (error instanceof Error ? error : {}) as {
    code?: unknown;
    responseCode?: unknown;
    response?: unknown;
  };
  return {
    code: typeof fields.code === "string" ? fields.code : "",
    status: typeof fields.responseCode === "number" ? fields.responseCode : null,
    text: typeof fields.response === "string"
      ? fields.response
      : error instanceof Error
      ? error.message
      : String(error),
  };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** A reply can repeat what it was sent; a password must not come to rest in a reason. */
function reasonOf(text: string, { username, password }: SmtpCredentials): string {
  const secrets = password === null ? [] : [password, base64(password), base64(`\0${username}\0${password}`)];
  return storableLine(secrets.reduce((clean, secret) => clean.replaceAll(secret, "[password]"), text), 500);
}

/** The queue id most servers put into their last reply ("queued as X", "id=X", "OK X - gsmtp"). */
function queueId(response: string): string | null {
  return /\bqueued as <?([\w.-]{1,128})|\bid[=:] ?<?([\w.-]{1,128})|\b([\w.-]{8,128}) - gsmtp/i.exec(response)
    ?.slice(1)
    .find((each) => each !== undefined) ?? null;
}

/** The server took the message, perhaps without some of the recipients. */
export function acceptance(info: SMTPSentMessageInfo): Verdict {
  const refused = (info.rejectedErrors ?? []).map((error) => ({
    address: String(error.recipient ?? ""),
    reason: storableLine(String(error.response ?? error.message), 500),
  }));
  const response = storableLine(info.response, 500);
  return {
    outcome: "sent",
    provider_message_id: info.serverMessageId ?? queueId(response),
    response,
    refused,
  };
}

/**
 * What a failed conversation means (RFC 5321 §4.2.1). A reply decides: 4yz is not now, 5yz is not ever. Without one it
 * was not accepted as long as the final dot had not gone out, and after that nobody can say.
 */
export function failure(error: unknown, handedOver: boolean, credentials: SmtpCredentials): Verdict {
  const { code, status, text } = read(error);
  const reason = reasonOf(text, credentials);
  const permanent = { outcome: "refused", reason, status, credential_rejected: false } as const;
  if (error instanceof EgressRefused) return permanent;
  const temporary = { outcome: "retry", reason, status, retry_after_seconds: null } as const;
  if (error instanceof EgressFailed) return temporary;
  if (status !== null && status >= 500) return { ...permanent, credential_rejected: code === "EAUTH" };
  if (status !== null && status >= 400) return temporary;
  if (handedOver) return { outcome: "unknown", reason };
  const ours = code === "EENVELOPE" || code === "EMESSAGE" || code === "EMAXRECIPIENTS";
  return ours ? permanent : temporary;
}

function isCertificate(error: unknown): boolean {
  const { originalCode } = (error ?? {}) as { originalCode?: unknown };
  return /certificate|altname|self.signed|\bTLS\b|SSL/i.test(`${originalCode ?? ""} ${read(error).text}`);
}

/** Why a connection could not be made, as sentences for the one who connects it. */
export function checkFailure(error: unknown, credentials: SmtpCredentials): string {
  const { code, status, text } = read(error);
  const { host, port } = credentials;
  const detail = reasonOf(text, credentials);
  if (error instanceof EgressRefused || error instanceof EgressFailed) return detail;
  if (code === "EAUTH") return `The server refused the user name or the password: ${detail}`;
  if (code === "ETLS" && status !== null) {
    return `The server does not offer STARTTLS, so nothing is sent to it: ${detail}`;
  }
  if (status !== null) return `The server answered: ${detail}`;
  if (code === "ETLS" || isCertificate(error)) {
    return `A secure connection to ${host} could not be made: ${detail}`;
  }
  const blocked = port === 25 || port === 587
    ? ` Hosted functions usually cannot reach port ${port}: try 465 with "secure": true, or 2525.`
    : "";
  return `${host} did not answer on port ${port}: ${detail}.${blocked}`;
}
