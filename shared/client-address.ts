import { canonicalAddress } from "./canonical-addresses.ts";
import { trustedHops } from "./environment.ts";

/**
 * The address a request came from: the entry of `x-forwarded-for` that the outermost proxy we trust wrote, which is
 * `MAILPIPE_TRUSTED_HOPS` (1) from the right; whatever stands left of it was sent by the caller. In canonical form, an
 * IPv4-mapped address as IPv4. Null when the chain is shorter, or the entry is no address: then nobody knows.
 */
export function clientAddress(request: Request): string | null {
  const chain = request.headers.get("x-forwarded-for")?.split(",") ?? [];
  const hops = trustedHops();
  return hops === 0 ? null : canonicalAddress(chain.at(-hops)?.trim() ?? "");
}
