/** The provider's request as it was stored: header names in lower case, body as the bytes that came. */
export interface RawRequest {
  headers: Record<string, string>;
  body: Uint8Array;
}

/** What the connection the request came through knows; opened for workers and for verification only. */
export interface ConnectionSecrets {
  /** The provider's credentials as stored, still to be parsed by the kind. */
  credentials: Record<string, unknown>;
  /** `whsec_…`, ours: signs what kind `mime` posts. */
  inbound_secret: string | null;
}

/** An event of a message we sent, named in our words. */
export interface ProviderEvent {
  item: "event";
  type:
    | "sent"
    | "delivered"
    | "deferred"
    | "bounced"
    | "complained"
    | "opened"
    | "clicked"
    | "failed"
    | "suppressed";
  provider_message_id: string;
  /** The address it concerns; null when the provider does not say which. */
  recipient: string | null;
  /** RFC 3339, the provider's own time. */
  occurred_at: string;
  /** What the provider adds: bounce kind, diagnostic, clicked link. Plain JSON, bounded. */
  detail: Record<string, unknown>;
}

/** A mail that arrived, as raw RFC 5322 bytes with its envelope. */
export interface ReceivedMail {
  item: "mail";
  raw: Uint8Array;
  envelope_from: string | null;
  envelope_to: string[];
}

export type InboundItem = ProviderEvent | ReceivedMail;

/** One kind of connection that posts to `receive-webhook/<kind>/<token>`. */
export interface InboundKind {
  kind: string;
  /**
   * Verifies the provider's own signature over the raw bytes and names the event: the same key for every retry
   * of the same event. Returns null when the signature does not hold (the caller answers 401).
   */
  verify(request: RawRequest, secrets: ConnectionSecrets, now: Date): { event_key: string } | null;
  /**
   * Turns a stored request into what happened. May call the provider (fetching a mail's bytes), so it runs in a
   * job. Throws an Error to be tried again later; returns an empty list for what does not concern mail.
   */
  interpret(request: RawRequest, secrets: ConnectionSecrets): Promise<InboundItem[]>;
}
