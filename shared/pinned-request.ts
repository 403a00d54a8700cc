import { Agent, buildConnector, type Dispatcher, request as undiciRequest } from "undici";
import {
  type CheckedAddress,
  type EgressAnswer,
  EgressFailed,
  EgressRefused,
  type EgressRequest,
} from "./egress.ts";

/** Of one address; the next is tried after it, as long as the deadline allows. */
const connectTimeoutMs = 5_000;
const redirects = new Set([301, 302, 303, 307, 308]);

interface Progress {
  connected: boolean;
  status: number | null;
}

/**
 * Connects to the checked addresses in turn, by number: no name is looked up again. Undici takes the TLS server
 * name from the URL's host, so the certificate is checked against the name.
 */
function pinned(
  addresses: CheckedAddress[],
  progress: Progress,
  signal: AbortSignal,
): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, maxCachedSessions: 0, minVersion: "TLSv1.2" });
  const attempt = (index: number, ...[options, callback]: Parameters<buildConnector.connector>): void => {
    const hostname = addresses[index]?.address ?? "";
    connect({ ...options, hostname }, (...outcome) => {
      if (outcome[0] === null) progress.connected = true;
      const again = outcome[0] !== null && index + 1 < addresses.length && !signal.aborted;
      return again ? attempt(index + 1, options, callback) : callback(...outcome);
    });
  };
  return (options, callback) => attempt(0, options, callback);
}

async function readUpTo(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<[Uint8Array, boolean]> {
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, room));
    if (chunk.length > room) return [concat(chunks), true];
    room -= chunk.length;
  }
  return [concat(chunks), false];
}

function concat(chunks: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  chunks.reduce((offset, chunk) => (whole.set(chunk, offset), offset + chunk.length), 0);
  return whole;
}

function plainHeaders(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]]
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** Node names TLS failures by code, Deno only in the message ("invalid peer certificate: …"). */
function isTls(error: unknown): boolean {
  const text = `${codeOf(error)} ${error instanceof Error ? error.message : ""}`;
  return /\b(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)|certificate|\bTLS\b|handshake/i
    .test(text);
}

function beforeConnected(error: unknown): EgressFailed {
  const code = codeOf(error);
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return new EgressFailed("timeout", "The connection was not accepted in time.");
  }
  if (/^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/.test(code)) {
    return new EgressFailed("connect_refused", "The connection was refused.");
  }
  if (isTls(error)) {
    return new EgressFailed("tls", "A secure connection could not be made: the certificate or TLS failed.");
  }
  return new EgressFailed("reset", "The connection was closed before the request.");
}

function classify(error: unknown, progress: Progress, signal: AbortSignal): Error {
  if (error instanceof EgressFailed) return error;
  const { connected, status } = progress;
  if (signal.aborted && status !== null) {
    return new EgressFailed("too_slow", "The answer was not complete within the deadline.", true, status);
  }
  if (signal.aborted) return new EgressFailed("timeout", "No answer within the deadline.", connected);
  if (/^UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED)$/.test(codeOf(error))) {
    return new EgressRefused("invalid_request", "The request has a header or method that cannot be sent.");
  }
  if (!connected) return beforeConnected(error);
  return new EgressFailed("reset", "The connection was lost before a complete answer.", true, status);
}

/**
 * One HTTP request over a connection to one of the checked addresses, which are tried in turn until one connects.
 * Ends when the signal does. Throws EgressFailed, or EgressRefused for what HTTP cannot carry. For egress.ts only.
 */
export async function pinnedRequest(
  url: URL,
  addresses: CheckedAddress[],
  { method, headers = {}, body = null, maxBytes }: Omit<EgressRequest, "body"> & {
    body?: string | Uint8Array | null;
  },
  signal: AbortSignal,
): Promise<Omit<EgressAnswer, "duration_ms">> {
  const progress: Progress = { connected: false, status: null };
  const agent = new Agent({
    connect: pinned(addresses, progress, signal),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const answer = await undiciRequest(url, {
      dispatcher: agent,
      method: method as Dispatcher.HttpMethod,
      headers,
      body,
      signal,
      reset: true,
    });
    progress.status = answer.statusCode;
    if (redirects.has(answer.statusCode)) {
      throw new EgressFailed("redirect", "The URL answered with a redirect.", true, answer.statusCode);
    }
    const [bytes, truncated] = await readUpTo(answer.body, maxBytes);
    return { status: answer.statusCode, headers: plainHeaders(answer.headers), body: bytes, truncated };
  } catch (error) {
    throw classify(error, progress, signal);
  } finally {
    await agent.destroy();
  }
}
