import type { EgressAnswer } from "./egress.ts";
import { storableText } from "./storable-text.ts";

// DESIGN §10.
const keptBytes = 4 * 1024;

/**
 * What is kept of a receiver's answer: its beginning, at most 4 KiB of text that Postgres takes. Null of an address the
 * operator opened: it may be an internal system's.
 */
export function excerptOf({ allowListed, body }: EgressAnswer): string | null {
  if (allowListed) return null;
  const text = storableText(new TextDecoder().decode(body));
  // Cut within a character, the rest of it decodes to nothing.
  const kept = new TextEncoder().encode(text).subarray(0, keptBytes);
  return new TextDecoder().decode(kept, { stream: true });
}
