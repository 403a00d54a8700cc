import { Buffer } from "node:buffer";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The time as asctime() writes it, in UTC, which RFC 4155 asks for in the separator line. */
function asctime(at: Date): string {
  const time = at.toISOString().slice(11, 19);
  const day = String(at.getUTCDate()).padStart(2);
  return `${days[at.getUTCDay()]} ${months[at.getUTCMonth()]} ${day} ${time} ${at.getUTCFullYear()}`;
}

/**
 * One message as an entry of an mbox file (RFC 4155, quoted as mboxrd: a line of any number of `>` and `From ` gets one
 * `>` more). Takes RFC 5322 bytes with either line end; line ends are LF in the file. The entry as a string of bytes (latin1).
 */
export function mboxEntry(message: Uint8Array, sender: string, receivedAt: Date): string {
  const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString("latin1")
    .replace(/\r\n/g, "\n")
    // Not `^` with `m`: a CR alone ends no line for whoever takes the quotes away again.
    .replace(/(^|\n)(?=>*From )/g, "$1>");
  const from = /^[!-~]+$/.test(sender) ? sender : "MAILER-DAEMON";
  const end = text.endsWith("\n") ? "\n" : "\n\n";
  return `From ${from} ${asctime(receivedAt)}\n${text}${end}`;
}
