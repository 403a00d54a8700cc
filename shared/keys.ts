import { createHash } from "node:crypto";

/** Where a key's rows live. */
export type Environment = "live" | "test";

/** A key as it is made: `plain` leaves in one response, `hash` (SHA-256, hex) is what the database keeps. */
export interface MintedKey {
  plain: string;
  hash: string;
  last_four: string;
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const shape = /^mp_(?:live|test)_[0-9A-Za-z]{38}$/;
const shapes = /mp_(?:live|test)_[0-9A-Za-z]{38}(?![0-9A-Za-z])/g;

// CRC-32 as in RFC 1952 §8, polynomial 0xEDB88320.
const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function base62(value: number, length: number): string {
  let text = "";
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) {
    text = alphabet[rest % 62] + text;
  }
  return text;
}

function randomBase62(length: number): string {
  let text = "";
  while (text.length < length) {
    // 248 is the largest multiple of 62 in a byte: what lies above would favour the first characters.
    const fair = Array.from(crypto.getRandomValues(new Uint8Array(length))).filter((byte) => byte < 248);
    text += fair.map((byte) => alphabet[byte % 62]).join("");
  }
  return text.slice(0, length);
}

/** The six characters a key ends in: CRC-32 of everything before them, in base 62 (DESIGN §7). */
export function keyChecksum(head: string): string {
  return base62(crc32(head), 6);
}

/** Makes a key of 46 characters: prefix, 32 random base-62 characters (190 bits), checksum. */
export function mintKey(environment: Environment): MintedKey {
  const head = `mp_${environment}_${randomBase62(32)}`;
  const plain = head + keyChecksum(head);
  return { plain, hash: hashKey(plain), last_four: plain.slice(-4) };
}

/** True for a key that was not mistyped or cut: shape and checksum, without asking anyone. */
export function isWholeKey(text: string): boolean {
  return shape.test(text) && text.slice(-6) === keyChecksum(text.slice(0, -6));
}

/** Everything in a text that has the shape of a key, whole or mistyped. */
export function keyShapes(text: string): string[] {
  return text.match(shapes) ?? [];
}

/** The text with every key in it cut down to its prefix. */
export function withoutKeys(text: string): string {
  return text.replace(shapes, (key) => `${key.slice(0, 8)}…`);
}

/** SHA-256 as 64 hex digits. Synchronous: 1.5 µs in Deno, where WebCrypto hops threads for 37 µs. */
export function hashKey(plain: string): string {
  return createHash("sha256").update(plain).digest("hex");
}
