import { Fault } from "./errors.ts";

/** An IP address or the first address of a range, as a number of 32 or 128 bits. */
export interface Numeric {
  family: 4 | 6;
  value: bigint;
}

/** A CIDR range. */
export interface AddressRange extends Numeric {
  prefix: number;
}

/** How long an address of a family is. */
export const bits = { 4: 32, 6: 128 } as const;

function parseV4(text: string): Numeric | null {
  // A leading zero is octal to some readers and decimal to others, so it is no address here.
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return null;
  const parts = text.split(".").map(Number);
  if (parts.some((part) => part > 255)) return null;
  return { family: 4, value: parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n) };
}

function parseV6(text: string): Numeric | null {
  if (!text.includes(":") || /[^0-9a-f:.]/i.test(text)) return null;
  try {
    // The URL parser writes every spelling as groups of hex with one "::".
    const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
    const front = head === "" ? [] : head.split(":");
    const back = tail === undefined || tail === "" ? [] : tail.split(":");
    const groups = [...front, ...Array<string>(8 - front.length - back.length).fill("0"), ...back];
    return { family: 6, value: groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n) };
  } catch {
    return null;
  }
}

/** An IP address as a number; null for a text that is none (no zone, no brackets, no leading zeros). */
export function parseIp(text: string): Numeric | null {
  return parseV4(text) ?? parseV6(text);
}

/** 4 or 6 for a textual IP address (no zone, no brackets, no leading zeros), else null. */
export function addressFamily(text: string): 4 | 6 | null {
  return parseIp(text)?.family ?? null;
}

/** Reads `192.0.2.0/24`, `2001:db8::/32` or a single address. Throws an Error naming what is not a range. */
export function parseRange(text: string): AddressRange {
  const [base = "", length, ...rest] = text.split("/");
  const address = parseIp(base);
  if (address === null || rest.length > 0) {
    throw new Fault(`"${text}" is not an address range like 10.0.0.0/8`);
  }
  const prefix = length === undefined ? bits[address.family] : Number(length);
  if (!/^\d{1,3}$/.test(length ?? "0") || prefix > bits[address.family]) {
    throw new Fault(`"${text}" is not an address range like 10.0.0.0/8`);
  }
  return { ...address, prefix };
}

function within(address: Numeric, range: AddressRange): boolean {
  const shift = BigInt(bits[range.family] - range.prefix);
  return address.family === range.family && address.value >> shift === range.value >> shift;
}

/** True when the address is in one of the ranges. A text that is no address is in none. */
export function inRanges(text: string, ranges: AddressRange[]): boolean {
  const address = parseIp(text);
  return address !== null && ranges.some((range) => within(address, range));
}

/** IANA IPv4 Special-Purpose Address Registry, multicast, and the one public address Azure answers on inside. */
const specialV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.31.196.0/24",
  "192.52.193.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "192.175.48.0/24",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
].map(parseRange);

/**
 * Only 2000::/3 is handed out as global unicast, which leaves out loopback, mapped (::ffff:0:0/96), NAT64
 * (64:ff9b::/96, 64:ff9b:1::/48), discard, unique local, link-local and multicast at once.
 */
const globalV6 = [parseRange("2000::/3")];

/** IANA IPv6 Special-Purpose Address Registry inside 2000::/3: Teredo and ORCHID are in 2001::/23, 6to4 is 2002::/16. */
const specialV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"].map(
  parseRange,
);

/** True for an address on the public internet, false for every special-purpose one and for what is no address. */
export function isPublicAddress(text: string): boolean {
  const family = addressFamily(text);
  if (family === 4) return !inRanges(text, specialV4);
  return family === 6 && inRanges(text, globalV6) && !inRanges(text, specialV6);
}
