import { bearerOf, type Caller } from "./credentials.ts";
import { call } from "./database.ts";
import type { ApiError, ErrorCode } from "./errors.ts";
import { hashKey, isWholeKey } from "./keys.ts";
import { misplacedKeys } from "./misplaced-keys.ts";
import { inBackground } from "./wake.ts";

/** A key was shown where others may have read it. */
const exposures: ReadonlySet<ErrorCode> = new Set(["https_required", "key_in_browser", "key_misplaced"]);
/** Refusals an owner wants to find in the audit log, so the answer waits until they are there. */
const audited: ReadonlySet<ErrorCode> = new Set(["scope_missing", "fence_violated"]);

/** Hashes of the whole keys a request shows, wherever they stand: at most ten, so one request is a bounded call. */
function shownKeys(request: Request): string[] {
  const shown = [...misplacedKeys(request), bearerOf(request) ?? ""];
  return [...new Set(shown.filter(isWholeKey))].slice(0, 10).map(hashKey);
}

async function record(error: ApiError, key_hashes: string[], counted: boolean): Promise<void> {
  const detail = typeof error.particulars === "string" ? error.particulars : null;
  await call("record_refusal", {
    p_caller: null,
    p_refusal: { code: error.code, detail, counted, key_hashes },
  });
}

/**
 * Writes what a refusal leaves behind: an exposed key is marked and its owner told, a missing scope or a broken fence
 * goes to the audit log, any other refusal by the database is counted. Exposures and audit lines are written before
 * this resolves. The use of a dead key is written after the answer, which must not take longer than for an unknown
 * one; an unknown key leaves nothing, so a flood of them costs one indexed read each. `counted`: an earlier call of the
 * request took it from the key's windows. Rejects with what `call` throws.
 */
export async function recordRefusal(
  request: Request,
  caller: Caller | null,
  error: ApiError,
  counted: boolean,
): Promise<void> {
  if (exposures.has(error.code)) {
    const hashes = shownKeys(request);
    // Whoever shows a key so gets no further, so nothing is taken from its windows.
    if (hashes.length > 0) await record(error, hashes, true);
    return;
  }
  if (
    caller === null || !("key_hash" in caller) || !error.facts.byDatabase || error.code === "rate_limited"
  ) return;
  if (audited.has(error.code)) return await record(error, [caller.key_hash], counted);
  if (error.code === "invalid_credential" && !error.facts.aboutKey) return;
  // A turn later: the answer is on its way by then, so a dead key's takes no longer than an unknown one's.
  const later = new Promise((turn) => setTimeout(turn, 0));
  inBackground(later.then(() => record(error, [caller.key_hash], counted)));
}
