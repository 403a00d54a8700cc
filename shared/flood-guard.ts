import { ApiError } from "./errors.ts";

// Far above what a service with one wrong key does, far below what a flood needs.
const mostFailures = 300;
const windowMs = 60_000;
// Some 100 bytes each: a flood from many addresses takes a megabyte and no more.
const mostRemembered = 10_000;

interface Failures {
  since: number;
  count: number;
}

/**
 * Remembers, in this isolate alone, from where unknown keys come and which keys worked. A flood of made-up keys with
 * good checksums then stops before the database; a key that worked here within the minute passes beside the flood and is
 * looked up as always, so nothing is ever admitted from memory.
 */
export class FloodGuard {
  readonly #failures = new Map<string, Failures>();
  readonly #worked = new Map<string, number>();

  /** Throws `too_many_failures` when `address` failed 300 times within a minute. `now` in milliseconds. */
  check(address: string | undefined, keyHash: string, now: number): void {
    if (address === undefined || (this.#worked.get(keyHash) ?? -Infinity) > now - windowMs) return;
    const known = this.#failures.get(address);
    if (known === undefined || known.since <= now - windowMs || known.count < mostFailures) return;
    const seconds = Math.ceil((known.since + windowMs - now) / 1000);
    throw new ApiError("too_many_failures", undefined, {}, { retryAfterSeconds: seconds });
  }

  /** Notes that a key was not valid. */
  failed(address: string | undefined, now: number): void {
    if (address === undefined) return;
    const known = this.#failures.get(address);
    const current = known !== undefined && known.since > now - windowMs;
    remember(
      this.#failures,
      address,
      current ? { ...known, count: known.count + 1 } : { since: now, count: 1 },
    );
  }

  /** Notes that a key was. */
  succeeded(keyHash: string, now: number): void {
    remember(this.#worked, keyHash, now);
  }
}

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  // Written anew, so that the first of the map is the one written longest ago.
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > mostRemembered && oldest !== undefined) map.delete(oldest);
}
