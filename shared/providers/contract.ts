import type { Address } from "../addresses.ts";

/** A file as it goes into the mail. `bytes` are the decoded content. */
export interface OutgoingAttachment {
  filename: string;
  content_type: string;
  content_id: string | null;
  bytes: Uint8Array;
}

/** One message as a provider is asked to send it; every field is already validated. */
export interface OutgoingMessage {
  /** `msg_…`: attached as metadata where the provider can carry it. */
  id: string;
  from: Address;
  to: Address[];
  cc: Address[];
  bcc: Address[];
  reply_to: Address[];
  subject: string;
  text: string | null;
  html: string | null;
  headers: Record<string, string>;
  tags: string[];
  metadata: Record<string, string>;
  attachments: OutgoingAttachment[];
  /** RFC 5322 Message-ID with its angle brackets, the same on every try. */
  message_id: string;
  in_reply_to: string | null;
  references: string[];
  /** RFC 3339: becomes the Date header, the same on every try. */
  created_at: string;
}

/** A recipient the provider refused while it took the others. */
export interface RefusedRecipient {
  address: string;
  reason: string;
}

/**
 * What became of one provider call (DESIGN §8).
 * `sent`: accepted. `refused`: definitely not accepted and will not be. `retry`: definitely not accepted, may be
 * later. `unknown`: nobody can say.
 */
export type Verdict =
  | {
    outcome: "sent";
    provider_message_id: string | null;
    response: string;
    refused: RefusedRecipient[];
    /** The sandbox knows the end of the story at once. */
    delivered?: boolean;
  }
  | { outcome: "refused"; reason: string; status: number | null; credential_rejected: boolean }
  | { outcome: "retry"; reason: string; status: number | null; retry_after_seconds: number | null }
  | { outcome: "unknown"; reason: string };

/** The provider's answer when a credential is tried before it is stored. */
export type CredentialCheck = { ok: true } | { ok: false; reason: string };

/** One kind of sending account. `Credentials` is what its zod schema in shared/schemas/providers.ts yields. */
export interface Provider<Credentials> {
  kind: string;
  /** True where the provider promises one acceptance per idempotency key: an unknown outcome may be asked again. */
  idempotent: boolean;
  /** Tries the credential without sending mail. Never throws for what the network or the provider does. */
  check(credentials: Credentials): Promise<CredentialCheck>;
  /** Sends once. Never throws for what the network or the provider does: that is a verdict. */
  send(message: OutgoingMessage, credentials: Credentials): Promise<Verdict>;
}
