import { storableLine } from "./storable-text.ts";

// What says who called, and what the gateway adds, is nobody's to keep.
const left = /^(?:authorization|cookie|apikey|x-forwarded-.*|forwarded|cf-.*|sb-.*|x-real-ip)$/;

// An envelope of 50 recipients of 254 characters is the longest value that counts.
const longest = 16_000;

/** The headers of a provider's request that are kept with its body: at most 100, 16,000 characters each. */
export function storedHeaders(headers: Headers): Record<string, string> {
  const kept = [...headers].filter(([name]) => !left.test(name)).slice(0, 100);
  return Object.fromEntries(kept.map(([name, value]) => [name, storableLine(value, longest)]));
}
