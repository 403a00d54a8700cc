import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";

/** Something came out otherwise than the product promises. The message says what was expected. */
export class Unexpected extends Error {}

/** Throws Unexpected unless `got` equals `expected`; bytes, lists and objects by what they hold. */
export function same(what: string, got: unknown, expected: unknown): void {
  if (isDeepStrictEqual(got, expected)) return;
  throw new Unexpected(`expected ${what} to be ${shown(expected)}, got ${shown(got)}`);
}

// How often and, in milliseconds, how long something that happens in the background is looked for.
const PAUSE = 50;
const PATIENCE = 10_000;

/** Tries until there is an answer. Throws Unexpected after ten seconds without one. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  while (Date.now() < deadline) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(PAUSE);
  }
  throw new Unexpected(`expected ${what} within ${PATIENCE / 1000} seconds`);
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    return `${value.length} bytes ${Buffer.from(value).toString("hex", 0, 16)}…`;
  }
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
