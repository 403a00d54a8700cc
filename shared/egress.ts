import dns from "node:dns";
import { addressFamily, inRanges, isPublicAddress, parseRange } from "./address-ranges.ts";
import { type EgressAnswer, EgressFailed, EgressRefused, type EgressRequest } from "./egress-outcome.ts";
import { apiUrl, egressAllowList } from "./environment.ts";
import { isWebPort } from "./web-ports.ts";
import { whenAborted } from "./when-aborted.ts";

export { EgressFailed, EgressRefused } from "./egress-outcome.ts";
export type { EgressAnswer, EgressRequest } from "./egress-outcome.ts";

/** An address that may be connected to. */
export interface CheckedAddress {
  address: string;
  family: 4 | 6;
  /** The operator opened it (MAILPIPE_EGRESS_ALLOW): plain text and every port are allowed to it. */
  allowListed: boolean;
}

function parseUrl(text: string): URL {
  try {
    // The URL parser drops tabs and line breaks; a text that has them is not what it seems.
    if (/[\s\p{Cc}]/u.test(text)) throw new TypeError("white space");
    return new URL(text);
  } catch {
    throw new EgressRefused("invalid_url", "This is not a valid URL.");
  }
}

function parseDestination(text: string): URL {
  const url = parseUrl(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new EgressRefused("https_required", "The URL must start with https://.");
  }
  if (url.username !== "" || url.password !== "") {
    throw new EgressRefused("userinfo", "The URL must not contain a user name or a password.");
  }
  return url;
}

/** A project answers on its own host and, when hosted, on names that have its reference as a label: functions, storage. */
function isOwnHost(host: string): boolean {
  const own = new URL(apiUrl()).hostname;
  const bare = host.replace(/\.+$/, "");
  const [, reference, domain] = /^([^.]+)(\.supabase\.(?:co|in|red))$/.exec(own) ?? [];
  const hosted = domain !== undefined && bare.endsWith(domain);
  return bare === own || (hosted && reference !== undefined && bare.split(".").includes(reference));
}

async function lookUp(host: string): Promise<string[]> {
  const literal = host.replace(/^\[(.*)\]$/, "$1");
  if (addressFamily(literal) !== null) return [literal];
  try {
    return (await dns.promises.lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    throw new EgressFailed("dns", `${host} does not resolve to an address.`);
  }
}

/** The canonical spelling, so that 0x7f.1 and 2130706433 are seen as what they are. */
function canonicalHost(host: string): string {
  const bracketed = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return parseUrl(`http://${bracketed}/`).hostname;
}

async function resolveAll(given: string): Promise<CheckedAddress[]> {
  const host = canonicalHost(given);
  const allowed = egressAllowList().map(parseRange);
  const addresses = (await lookUp(host)).map((address): CheckedAddress => ({
    address,
    family: addressFamily(address) ?? 4,
    allowListed: inRanges(address, allowed),
  }));
  // One private answer among public ones is refused too: that is how rebinding looks.
  if (
    addresses.length === 0 || addresses.some((each) => !each.allowListed && !isPublicAddress(each.address))
  ) {
    throw new EgressRefused("private_address", `${given} does not lead to a public address.`);
  }
  if (isOwnHost(host) && !addresses.every((each) => each.allowListed)) {
    throw new EgressRefused("own_host", `${given} is this project itself.`);
  }
  // IPv4 first: edge platforms often have no IPv6 route.
  return addresses.sort((a, b) => a.family - b.family);
}

async function resolveDestination(url: URL): Promise<CheckedAddress[]> {
  const addresses = await resolveAll(url.hostname);
  if (addresses.every((each) => each.allowListed)) return addresses;
  if (url.protocol === "http:") {
    throw new EgressRefused("https_required", "The URL must start with https://.");
  }
  if (!isWebPort(url.port)) {
    throw new EgressRefused("blocked_port", `The URL must not lead to port ${url.port}.`);
  }
  return addresses;
}

/**
 * An address of a host that may be connected to (promise 9): public, or in a range the operator opened.
 * Connect to the address itself and never to the name again. Throws EgressRefused, or EgressFailed for DNS.
 */
export async function resolveChecked(host: string): Promise<CheckedAddress> {
  const [first] = await resolveAll(host);
  if (first === undefined) throw new EgressFailed("dns", `${host} does not resolve to an address.`);
  return first;
}

/** Checks a URL when a customer stores it. Throws EgressRefused, or EgressFailed when its name does not resolve. */
export async function checkDestination(url: string): Promise<void> {
  await resolveDestination(parseDestination(url));
}

/**
 * Calls a URL a customer chose: https to a public address and a port for the web, checked after DNS and connected to as
 * checked; TLS 1.2 or newer; redirects are failures. Plain http and other ports only where the operator opened the address.
 * Throws EgressRefused (nothing was sent) or EgressFailed (says whether the peer may have seen the request).
 */
export async function egressFetch(url: string, request: EgressRequest): Promise<EgressAnswer> {
  const started = performance.now();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), request.deadlineMs);
  try {
    const destination = parseDestination(url);
    const late = whenAborted(
      deadline.signal,
      () => new EgressFailed("timeout", "The name did not resolve in time."),
    );
    const addresses = await Promise.race([resolveDestination(destination), late]);
    // Loaded only by those who connect: undici is 50 ms of a cold start.
    const { pinnedRequest } = await import("./pinned-request.ts");
    const answer = await pinnedRequest(destination, addresses, request, deadline.signal);
    const allowListed = addresses.some((each) => each.allowListed);
    return { ...answer, allowListed, duration_ms: Math.round(performance.now() - started) };
  } finally {
    clearTimeout(timer);
  }
}
