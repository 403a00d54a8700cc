/** Our rules do not let a connection be made; nothing was sent. The message is a sentence for the customer. */
export class EgressRefused extends Error {
  readonly code:
    | "invalid_url"
    | "invalid_request"
    | "https_required"
    | "userinfo"
    | "blocked_port"
    | "private_address"
    | "own_host";
  constructor(code: EgressRefused["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The connection was allowed and did not work out. The message is a sentence for the customer. A 2xx whose answer is then
 * cut or too slow is a failure too and carries that status: the peer may have done what was asked, so asking again means at
 * least once, under the same id.
 */
export class EgressFailed extends Error {
  readonly failure: "dns" | "connect_refused" | "tls" | "timeout" | "reset" | "redirect" | "too_slow";
  /** False when the peer cannot have seen the request. */
  readonly sent: boolean;
  /** The HTTP status, where one came before the failure. */
  readonly status: number | null;
  constructor(failure: EgressFailed["failure"], message: string, sent = false, status: number | null = null) {
    super(message);
    this.failure = failure;
    this.sent = sent;
    this.status = status;
  }
}

/** One request to an address a customer chose. */
export interface EgressRequest {
  method: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** For everything together: names, connection, TLS, request and answer. */
  deadlineMs: number;
  /** How much of the answer's body is read. */
  maxBytes: number;
}

/** What came back. Header names are in lower case; the body is as it was sent, never inflated. */
export interface EgressAnswer {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
  truncated: boolean;
  /** The operator opened an address of its host: it may be an internal system's answer. */
  allowListed: boolean;
  duration_ms: number;
}
