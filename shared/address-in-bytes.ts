import { Buffer } from "node:buffer";

/**
 * Whether raw bytes of a mail or a request hold an address (lower case, domain in A-labels): plain, percent-encoded or
 * quoted-printable, whatever its case, and not as the end or the beginning of a longer one. What is base64 is not opened.
 */
export function holdsAddress(bytes: Uint8Array, address: string): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8").toLowerCase();
  const at = address.lastIndexOf("@");
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)].map((part) =>
    part.replace(/[^a-z0-9]/g, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`)
  );
  return new RegExp(
    `(?<![\\p{L}\\p{N}._%+-])(?<![\\p{L}\\p{N}][!#$'*/^\`{|}~])${local}(?:@|%40|=40)${domain}(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`,
    "u",
  ).test(text);
}
