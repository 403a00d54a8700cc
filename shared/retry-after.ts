const longestSeconds = 86_400;

/**
 * Whole seconds a Retry-After header asks to wait (RFC 9110 §10.2.3: seconds or an HTTP date), between 0 and a day;
 * null when there is none or it is neither.
 */
export function retryAfterSeconds(value: string | null | undefined, now: Date): number | null {
  const text = value?.trim() ?? "";
  if (/^\d{1,15}(?:\.\d+)?$/.test(text)) return Math.min(Math.ceil(Number(text)), longestSeconds);
  // Date.parse takes much that is no HTTP date ("-1", "2 weeks"): all three forms name a month in letters.
  const date = /^[A-Z][a-z]{2}.*\d{2}:\d{2}:\d{2}/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(date)) return null;
  return Math.min(Math.max(Math.ceil((date - now.getTime()) / 1000), 0), longestSeconds);
}
