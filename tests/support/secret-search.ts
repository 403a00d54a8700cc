import { Buffer } from "node:buffer";
import type { Said, Seeded } from "./evidence.ts";
import { shapesIn } from "./secret-kinds.ts";

/** A secret in a text where none may stand. `by` is null for one that no test noted but whose shape says it all. */
export interface Hit extends Pick<Said, "source" | "place"> {
  kind: string;
  by: string | null;
}

interface Needle {
  bytes: Buffer;
  secret: Seeded;
}

/** Base64 of a secret somewhere within a longer text: the three ways it may meet groups of three bytes. */
function inBase64(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64").replace(/=+$/, "");
    const certain = Math.floor((offset + bytes.length) * 8 / 6);
    return padded.slice(Math.ceil(offset * 8 / 6), certain);
  });
}

/** Every way a secret may be written: as it is, over lines of the server's log, in JSON, in a URL, in hex, in base64. */
export function spellings(secret: string): string[] {
  // Half a character is stored by nobody, and cannot be written in a URL.
  const text = Buffer.from(secret).toString();
  const base64 = inBase64(text);
  return [
    ...new Set([
      text,
      text.replaceAll("\n", "\n\t"),
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text),
      Buffer.from(text).toString("hex"),
      ...base64,
      ...base64.map((each) => each.replaceAll("+", "-").replaceAll("/", "_")),
    ]),
  ];
}

// Four bytes from the middle: prefixes are alike among secrets and, in hex and base64, among ordinary texts.
function offsetOf(bytes: Buffer): number {
  return (bytes.length >> 1) - 2;
}

function hash(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 10;
}

/** Finds any of many secrets in one pass over a text: a bit per hashed word first, the bytes only where it is set. */
export class SecretSearch {
  readonly #set = new Uint8Array(1 << 22);
  readonly #needles = new Map<number, Needle[]>();

  constructor(secrets: readonly Seeded[]) {
    const known = new Set<string>();
    for (const secret of secrets) {
      if (known.has(secret.text)) continue;
      known.add(secret.text);
      for (const spelling of spellings(secret.text)) this.#add({ bytes: Buffer.from(spelling), secret });
    }
  }

  #add(needle: Needle): void {
    const word = needle.bytes.readInt32LE(offsetOf(needle.bytes));
    this.#set[hash(word)] = 1;
    this.#needles.set(word, [...this.#needles.get(word) ?? [], needle]);
  }

  #at(text: Buffer, position: number, word: number): Seeded[] {
    const here = ({ bytes }: Needle) => {
      const start = position - offsetOf(bytes);
      return start >= 0 && start + bytes.length <= text.length &&
        bytes.equals(text.subarray(start, start + bytes.length));
    };
    return (this.#needles.get(word) ?? []).filter(here).map(({ secret }) => secret);
  }

  #seeded(text: Buffer): Set<Seeded> {
    const found = new Set<Seeded>();
    let word = 0;
    for (let index = 0; index < text.length; index++) {
      word = (word >>> 8) | ((text[index] ?? 0) << 24);
      if (index < 3 || this.#set[hash(word)] === 0) continue;
      for (const secret of this.#at(text, index - 3, word | 0)) found.add(secret);
    }
    return found;
  }

  /** Each secret in a text once; what nobody noted but has a secret's shape counts too. */
  hits({ source, place, text }: Said): Hit[] {
    const seeded = [...this.#seeded(text)].map(({ kind, by }) => ({ source, place, kind, by }));
    // One that was noted may show its shape in part only, for instance percent-encoded.
    const told = new Set<string>(seeded.map(({ kind }) => kind));
    const strange = shapesIn(text.toString("latin1")).filter(({ kind }) => !told.has(kind));
    return [...seeded, ...strange.map(({ kind }) => ({ source, place, kind, by: null }))];
  }
}
