import { Buffer } from "node:buffer";
import nodemailer, { type SMTPTransportOptions } from "nodemailer";
import { addressFamily } from "../address-ranges.ts";
import { parseAddress } from "../addresses.ts";
import { resolveChecked } from "../egress.ts";
import { apiUrl } from "../environment.ts";
import { composeMessage } from "../mime-compose.ts";
import type { SmtpCredentials } from "../schemas/providers.ts";
import type { OutgoingMessage, Provider, Verdict } from "./contract.ts";
import { acceptance, checkFailure, failure } from "./smtp-verdict.ts";

/** Milliseconds. A worker of the hosted runtime lives 150 seconds; RFC 5321's ten minutes are not to be had. */
const limits = { connect: 10_000, greeting: 10_000, total: 60_000 };

/** How far a conversation came: once the final dot was handed over, a lost connection leaves the outcome open. */
interface Progress {
  handedOver: boolean;
}

/** The name given in EHLO: strict servers want a full one or an address in brackets. */
function clientName(): string {
  const host = new URL(apiUrl()).hostname;
  return addressFamily(host) === null ? host : `[${host}]`;
}

/** nodemailer notes a "message" when the last byte of the data, the final dot, went to the socket. */
function watch(progress: Progress): NonNullable<SMTPTransportOptions["logger"]> {
  const note = (entry: { tnx?: string }): void => {
    if (entry?.tnx === "message") progress.handedOver = true;
  };
  return { trace: note, debug: note, info: note, warn: note, error: note, fatal: note };
}

/** Connects to the checked address by number; the certificate is checked against the name. */
async function transportFor(credentials: SmtpCredentials, progress: Progress) {
  const { host, port, secure, username, password } = credentials;
  const { address, allowListed } = await resolveChecked(host);
  return nodemailer.createTransport({
    host: address,
    port,
    secure,
    requireTLS: !secure && !allowListed,
    name: clientName(),
    ...(username === null || password === null
      ? {}
      : { auth: { user: username, pass: password }, forceAuth: true }),
    tls: { minVersion: "TLSv1.2", ...(addressFamily(host) === null ? { servername: host } : {}) },
    connectionTimeout: limits.connect,
    greetingTimeout: limits.greeting,
    socketTimeout: limits.total,
    logger: watch(progress),
  });
}

/** The deadline for everything; what it cuts off is judged like a lost connection. */
async function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), limits.total);
  const late = new Promise<never>((_, reject) =>
    deadline.signal.addEventListener("abort", () => reject(new Error("the server did not finish in time")))
  );
  try {
    return await Promise.race([work(deadline.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Every recipient once; Bcc is only here. Read once more, and as objects, because nodemailer takes a text for a list.
 * Throws InvalidAddress.
 */
function envelopeOf({ from, to, cc, bcc }: OutgoingMessage, size: number) {
  const mailbox = (email: string) => ({ address: parseAddress({ email }).email, name: "" });
  const recipients = new Set([...to, ...cc, ...bcc].map(({ email }) => email));
  return { from: mailbox(from.email), to: [...recipients].map(mailbox), size };
}

async function compose(message: OutgoingMessage) {
  const raw = await composeMessage(message);
  // nodemailer takes a Buffer; this is a view on the same bytes.
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  return { raw: bytes, envelope: envelopeOf(message, raw.length) };
}

async function send(message: OutgoingMessage, credentials: SmtpCredentials): Promise<Verdict> {
  let mail: Awaited<ReturnType<typeof compose>>;
  try {
    mail = await compose(message);
  } catch (error) {
    const reason = `The message cannot be composed: ${error instanceof Error ? error.message : error}`;
    return { outcome: "refused", reason, status: null, credential_rejected: false };
  }
  const progress: Progress = { handedOver: false };
  try {
    return await withDeadline(async (signal) => {
      const transport = await transportFor(credentials, progress);
      return acceptance(await transport.sendMail({ ...mail, signal }));
    });
  } catch (error) {
    return failure(error, progress.handedOver, credentials);
  }
}

/** A generic SMTP account (RFC 5321, 3207, 4954). It has no idempotency: an unknown outcome stays unknown. */
export const smtp: Provider<SmtpCredentials> = {
  kind: "smtp",
  idempotent: false,
  send,
  /** Connects, secures, signs in and leaves. */
  async check(credentials) {
    try {
      await withDeadline(async () => (await transportFor(credentials, { handedOver: false })).verify());
      return { ok: true };
    } catch (error) {
      return { ok: false, reason: checkFailure(error, credentials) };
    }
  },
};
