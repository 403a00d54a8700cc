import { bits, type Numeric, parseIp } from "./address-ranges.ts";

function text({ family, value }: Numeric): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join(".");
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn);
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(":")}]/`).hostname.slice(1, -1);
}

// ::ffff:0:0/96 (RFC 4291 §2.5.5.2).
const mappedV4 = 0xffffn;

function unmapped(address: Numeric): Numeric {
  const mapped = address.family === 6 && address.value >> 32n === mappedV4;
  return mapped ? { family: 4, value: address.value & 0xffffffffn } : address;
}

/** The one spelling of an IP address, an IPv4-mapped one as IPv4; null for a text that is none. */
export function canonicalAddress(given: string): string | null {
  const address = parseIp(given);
  return address === null ? null : text(unmapped(address));
}

/**
 * The one spelling of a CIDR range, or what is wrong with it as the end of a sentence. A single address is a range of
 * one; IPv4-mapped ranges become IPv4; bits beyond the prefix, and a prefix of 0, are mistakes.
 */
export function canonicalRange(given: string): { range: string } | { problem: string } {
  const parts = given.split("/");
  const address = parseIp(parts[0] ?? "");
  const length = parts[1] ?? String(address === null ? "" : bits[address.family]);
  if (address === null || parts.length > 2 || !/^(?:0|[1-9]\d{0,2})$/.test(length)) {
    return { problem: "must be an address range like 198.51.100.0/24 or 2001:db8::/32" };
  }
  const plain = unmapped(address);
  const prefix = Number(length) - (plain.family === address.family ? 0 : 96);
  if (prefix > bits[plain.family] || prefix < 0) {
    return { problem: "has a prefix that is too long or too short" };
  }
  if (prefix === 0) return { problem: "lets every address through: leave the fence out instead" };
  const shift = BigInt(bits[plain.family] - prefix);
  const base = { ...plain, value: (plain.value >> shift) << shift };
  if (base.value !== plain.value) {
    return { problem: `has bits beyond its prefix: write ${text(base)}/${prefix}` };
  }
  return { range: `${text(base)}/${prefix}` };
}
