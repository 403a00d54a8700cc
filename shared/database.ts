import { PostgrestClient } from "@supabase/postgrest-js";
import type { Database } from "./database-types.ts";
import { apiUrl, secretKeyHeaders } from "./environment.ts";
import { ApiError, type ErrorDetail, Fault, isErrorCode } from "./errors.ts";
import { parseRateLimit, type RateLimit } from "./rate-limit.ts";

type Functions = Database["mailpipe_api"]["Functions"];

/** Name of an SQL function of schema mailpipe_api. */
export type ApiFunction = keyof Functions;

/** What an SQL function answers: a JSON object; workers parse it with a schema. */
export type Facts = Record<string, unknown>;

/** Its arguments by name; the values are JSON. */
export type Arguments<Name extends ApiFunction> = { [Key in keyof Functions[Name]["Args"]]: unknown };

// The longest statement may take 8 s; what is silent after 30 s will not answer any more.
const timeoutMs = 30_000;

type Rest = PostgrestClient<Database, object, "mailpipe_api">;

/** Told of the tightest window a call took from. */
export type OnRateLimit = (window: RateLimit) => void;

// How SQL hands over a window beside its answer: a header PostgREST sets for it (`response.headers`).
const rateLimitHeader = "x-mailpipe-rate-limit";

/** A client a call: making one costs microseconds, and its fetch hears the headers of this call alone. */
function rest(onRateLimit: OnRateLimit): Rest {
  return new PostgrestClient(`${apiUrl()}/rest/v1`, {
    headers: secretKeyHeaders(),
    schema: "mailpipe_api",
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      const window = parseRateLimit(response.headers.get(rateLimitHeader));
      if (window !== undefined) onRateLimit(window);
      return response;
    },
  });
}

function fieldDetails(detail: string): ErrorDetail[] {
  const [path = "", ...rest] = detail.split(": ");
  return [{ path, message: rest.join(": ") }];
}

/** A gateway that cannot reach PostgREST answers in its own words, and PostgREST has one of these for its database. */
function isUnreachable(status: number, code: string | undefined): boolean {
  return code === "" || status === 502 || status === 503 || status === 504;
}

function rateLimited(rateLimit: RateLimit): ApiError {
  const { policy, limit, window_seconds, reset_at } = rateLimit;
  const which = `the ${policy} allows ${limit} in ${window_seconds} s, and more from ${reset_at}`;
  return new ApiError("rate_limited", which, {}, { byDatabase: true, rateLimit });
}

// A deadlock is broken by undoing one of the calls; asked again, it waits its turn.
const mostRepeats = 2;

/** Deadlock or serialization failure: the whole call was undone, so asking again is safe (PostgreSQL appendix A). */
function isUndone(code: string): boolean {
  return code === "40P01" || code === "40001";
}

interface RestError {
  code?: string;
  message: string;
  details: string | null;
  hint?: string | null;
}

function refusal(error: RestError, status: number): Error {
  // PostgREST answers PT4xx with our code as message; an SQLSTATE beyond those carries text of Postgres' own.
  if (/^PT\d{3}$/.test(error.code ?? "") && isErrorCode(error.message)) {
    const detail = error.details ?? undefined;
    if (error.message === "invalid_request" && detail !== undefined) {
      return new ApiError(error.message, fieldDetails(detail), {}, { byDatabase: true });
    }
    const rateLimit = error.message === "rate_limited" ? parseRateLimit(detail) : undefined;
    if (rateLimit !== undefined) return rateLimited(rateLimit);
    const aboutKey = /^key_/.test(error.hint ?? "");
    return new ApiError(error.message, detail, {}, { byDatabase: true, ...(aboutKey ? { aboutKey } : {}) });
  }
  // An empty code: the answer never came.
  if (isUnreachable(status, error.code)) return new ApiError("database_unavailable");
  return new Fault(`database: ${error.code ?? status}`);
}

/**
 * Calls a function of mailpipe_api. A refusal raised there (PT4xx) becomes the ApiError of the same code, an
 * unreachable database `database_unavailable`; anything else is a Fault that names the SQLSTATE and no data.
 * A call that was undone for another's sake is made again, twice at most. `onRateLimit` is told of the tightest window the call took from, if it took from any.
 */
export async function call<Name extends ApiFunction>(
  name: Name,
  args: Arguments<Name>,
  onRateLimit: OnRateLimit = () => {},
): Promise<Facts> {
  for (let repeats = 0;; repeats++) {
    const { data, error, status } = await rest(onRateLimit).rpc(name, args as never)
      .abortSignal(AbortSignal.timeout(timeoutMs));
    if (error === null) return data as unknown as Facts;
    if (!isUndone(error.code) || repeats === mostRepeats) throw refusal(error, status);
  }
}
