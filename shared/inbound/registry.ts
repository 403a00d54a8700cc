import type { InboundKind } from "./contract.ts";
import { mime } from "./mime.ts";
import { resend } from "./resend.ts";

const kinds = new Map<string, InboundKind>([mime, resend].map((each) => [each.kind, each]));

/**
 * What posts to `receive-webhook/<kind>/<token>`, or null for a kind there is not. Reaches neither an adapter nor
 * nodemailer: receiving is on the cold path.
 */
export function inboundKind(kind: string): InboundKind | null {
  return kinds.get(kind) ?? null;
}

/** The kind through which a provider's connection receives: an SMTP account brings no webhooks of its own. */
export function inboundKindOf(provider: string): string {
  return provider === "smtp" ? "mime" : provider;
}
