/** The tightest window a request took from. Times in seconds, rounded up. */
export interface RateLimit {
  /** Whose limit it is: `key`, `organization` or `report`. */
  policy: string;
  limit: number;
  remaining: number;
  window_seconds: number;
  reset_at: string;
  reset_seconds: number;
}

// policy;limit;left;window in s;its end and now in ms since 1970.
const written = /^([a-z]+);(\d+);(\d+);(\d+);(\d+);(\d+)$/;

/** Reads what the database wrote; undefined where it wrote nothing, or nothing we know. */
export function parseRateLimit(text: string | null | undefined): RateLimit | undefined {
  const match = written.exec(text ?? "");
  if (match === null) return undefined;
  const [limit = 0, remaining = 0, window_seconds = 0, end = 0, now = 0] = match.slice(2).map(Number);
  return {
    policy: match[1] ?? "",
    limit,
    remaining,
    window_seconds,
    reset_at: new Date(end).toISOString(),
    reset_seconds: Math.max(1, Math.ceil((end - now) / 1000)),
  };
}

/** Of two windows the one that will refuse first: fewer requests left. */
export function tighter(one: RateLimit | undefined, other: RateLimit | undefined): RateLimit | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.remaining <= other.remaining ? one : other;
}

/**
 * The headers of a window: Mailpipe's `X-RateLimit-*` with an ISO time, and `RateLimit` with `RateLimit-Policy` as in
 * draft-ietf-httpapi-ratelimit-headers-10. `Retry-After` only when the window refused.
 */
export function rateLimitHeaders(window: RateLimit, refused: boolean): Record<string, string> {
  const { policy, limit, remaining, window_seconds, reset_at, reset_seconds } = window;
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-reset": reset_at,
    "ratelimit-policy": `"${policy}";q=${limit};w=${window_seconds}`,
    ratelimit: `"${policy}";r=${remaining};t=${reset_seconds}`,
    ...(refused ? { "retry-after": String(reset_seconds) } : {}),
  };
}
