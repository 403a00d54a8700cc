import type { Socket } from "node:net";
import { Agent, buildConnector, type Dispatcher, request as undiciRequest } from "undici";
import type { CheckedAddress } from "./egress.ts";
import { type EgressAnswer, EgressFailed, type EgressRequest } from "./egress-outcome.ts";
import { failureOf, type Progress } from "./pinned-failure.ts";
import { whenAborted } from "./when-aborted.ts";

/** Of one address; the next is tried after it, as long as the deadline allows. */
const connectTimeoutMs = 5_000;
type PinnedAnswer = Omit<EgressAnswer, "allowListed" | "duration_ms">;

/** An answer's status, headers and trailers, each time they come. */
const headerBytes = 16 * 1024;
/** Of an answer beside its body: 1xx answers, chunk extensions, TLS. Undici bounds none of them by itself. */
const overheadBytes = 2 * 1024 * 1024;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Leaves a peer that sends more than any answer needs, whatever part of it that is. */
function boundBytes(socket: Socket, most: number, progress: Progress): void {
  socket.on("readable", () => {
    if (socket.bytesRead <= most) return;
    socket.destroy(new EgressFailed("reset", "The answer has no end and was left.", true, progress.status));
  });
}

/**
 * Connects to the checked addresses in turn, by number: no name is looked up again. Undici takes the TLS server
 * name from the URL's host, so the certificate is checked against the name.
 */
function pinned(
  addresses: CheckedAddress[],
  mostBytes: number,
  progress: Progress,
  signal: AbortSignal,
): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, maxCachedSessions: 0, minVersion: "TLSv1.2" });
  const attempt = (index: number, ...[options, callback]: Parameters<buildConnector.connector>): void => {
    const hostname = addresses[index]?.address ?? "";
    connect({ ...options, hostname }, (...outcome) => {
      if (outcome[0] === null) {
        progress.connected = true;
        boundBytes(outcome[1], mostBytes, progress);
      }
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

/** The whole request line and header; undici refuses what HTTP cannot carry. */
function written({ method, headers = {}, body }: EgressRequest, signal: AbortSignal) {
  return { method: method as Dispatcher.HttpMethod, headers, body: body ?? null, signal, reset: true };
}

async function exchange(
  url: URL,
  dispatcher: Agent,
  request: EgressRequest,
  progress: Progress,
  signal: AbortSignal,
): Promise<PinnedAnswer> {
  const answer = await undiciRequest(url, { dispatcher, ...written(request, signal) });
  const status = progress.status = answer.statusCode;
  if (redirects.has(status)) {
    throw new EgressFailed("redirect", "The URL answered with a redirect.", true, status);
  }
  const [body, truncated] = await readUpTo(answer.body, request.maxBytes);
  return { status, headers: plainHeaders(answer.headers), body, truncated };
}

/**
 * One HTTP request over a connection to one of the checked addresses, which are tried in turn until one connects.
 * Ends when the signal does. Throws EgressFailed, or EgressRefused for what HTTP cannot carry. For egress.ts only.
 */
export async function pinnedRequest(
  url: URL,
  addresses: CheckedAddress[],
  request: EgressRequest,
  signal: AbortSignal,
): Promise<PinnedAnswer> {
  const progress: Progress = { connected: false, status: null };
  const dispatcher = new Agent({
    connect: pinned(addresses, request.maxBytes + overheadBytes, progress, signal),
    maxHeaderSize: headerBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const exchanging = exchange(url, dispatcher, request, progress, signal);
  try {
    // Undici hears of the signal only once it is connected: a handshake that hangs would outlast it.
    return await Promise.race([exchanging, whenAborted(signal, () => new Error("aborted"))]);
  } catch (error) {
    throw failureOf(error, progress, signal);
  } finally {
    exchanging.catch(() => undefined);
    await dispatcher.destroy();
  }
}
