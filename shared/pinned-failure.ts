import { EgressFailed, EgressRefused } from "./egress-outcome.ts";

/** How far a request came. */
export interface Progress {
  connected: boolean;
  status: number | null;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

const nodeTlsCode = /^(?:ERR_TLS|ERR_SSL|EPROTO|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_)|_CERT/;
/** What rustls says, which is all Deno passes on. */
const rustlsMessage = /peer certificate|fatal alert|corrupt message|peer is incompatible|peer misbehaved/i;

function isTls(error: unknown): boolean {
  return nodeTlsCode.test(codeOf(error)) || rustlsMessage.test(messageOf(error));
}

function tlsFailed(sent: boolean): EgressFailed {
  return new EgressFailed(
    "tls",
    "A secure connection could not be made: the certificate or TLS failed.",
    sent,
  );
}

function beforeConnected(error: unknown): EgressFailed {
  const code = codeOf(error);
  if (code === "UND_ERR_CONNECT_TIMEOUT") {
    return new EgressFailed("timeout", "The connection was not accepted in time.");
  }
  if (/^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|ETIMEDOUT)$/.test(code)) {
    return new EgressFailed("connect_refused", "The connection was refused.");
  }
  return isTls(error)
    ? tlsFailed(false)
    : new EgressFailed("reset", "The connection was closed before the request.");
}

/** What went wrong with a request, for the customer and for the decision to try again. For pinned-request.ts only. */
export function failureOf(error: unknown, { connected, status }: Progress, signal: AbortSignal): Error {
  if (error instanceof EgressFailed) return error;
  if (signal.aborted && status !== null) {
    return new EgressFailed("too_slow", "The answer was not complete within the deadline.", true, status);
  }
  if (signal.aborted) return new EgressFailed("timeout", "No answer within the deadline.", connected);
  if (/^UND_ERR_(?:INVALID_ARG|NOT_SUPPORTED)$/.test(codeOf(error))) {
    return new EgressRefused("invalid_request", "The request has a header or method that cannot be sent.");
  }
  if (!connected) return beforeConnected(error);
  // Deno 2.1.4 says "connected" before the handshake is over; nothing goes to a peer whose certificate fails.
  if (status === null && isTls(error)) return tlsFailed(!/peer certificate/.test(messageOf(error)));
  return new EgressFailed("reset", "The connection was lost before a complete answer.", true, status);
}
