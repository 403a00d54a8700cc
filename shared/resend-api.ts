import { providerUrl } from "./environment.ts";

/** Milliseconds for one call together: 40 MB of message go up, or a received mail's JSON comes down. */
const deadlineMs = 60_000;
const answerBytes = 1_048_576;

/** What Resend answered. `body` is undefined when it is not JSON, not complete or larger than was allowed. */
export interface ResendAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** No status came. `sent` is false when the request cannot have reached Resend. */
export class ResendUnreachable extends Error {
  readonly sent: boolean;
  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

/** Node names the failure in the cause's code, Deno only in the message. */
function reachedPeer(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const early =
    /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|.*CERT.*|ERR_TLS.*|UNABLE_TO.*)$/;
  return !early.test(code) && !/\(Connect\)/.test(error instanceof Error ? error.message : "");
}

async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  const reader = response.body?.getReader();
  const chunks: BlobPart[] = [];
  try {
    for (
      let room = maxBytes, next = await reader?.read();
      next?.value !== undefined;
      next = await reader?.read()
    ) {
      room -= next.value.length;
      if (room < 0) return undefined;
      chunks.push(next.value);
    }
    return JSON.parse(await new Blob(chunks).text());
  } catch {
    return undefined;
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

/**
 * One call to Resend's API (or to what the operator put in its place): User-Agent, which Resend demands, no redirect
 * followed, a deadline, a bounded answer. Throws ResendUnreachable when no status came.
 */
export async function callResend(
  path: string,
  apiKey: string,
  request: { method: "GET" | "POST"; headers?: Record<string, string>; body?: string; maxBytes?: number },
): Promise<ResendAnswer> {
  const { method, headers = {}, body = null, maxBytes = answerBytes } = request;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), deadlineMs);
  try {
    const response = await fetch(providerUrl("resend", "https://api.resend.com") + path, {
      method,
      headers: {
        "user-agent": "mailpipe",
        "content-type": "application/json",
        authorization: `Bearer ${apiKey}`,
        ...headers,
      },
      body,
      redirect: "manual",
      signal: deadline.signal,
    });
    return { status: response.status, headers: response.headers, body: await readJson(response, maxBytes) };
  } catch (error) {
    const sent = deadline.signal.aborted || reachedPeer(error);
    throw new ResendUnreachable(sent ? "Resend did not answer" : "Resend could not be reached", sent);
  } finally {
    clearTimeout(timer);
  }
}

/** The name and message of Resend's error body; empty where the answer is not one. */
export function resendError(body: unknown): { name: string; message: string } {
  const { name, message } = (typeof body === "object" && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  return { name: typeof name === "string" ? name : "", message: typeof message === "string" ? message : "" };
}
