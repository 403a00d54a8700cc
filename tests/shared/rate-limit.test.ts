import { expect, test } from "vitest";
import { parseRateLimit, rateLimitHeaders, tighter } from "../../shared/rate-limit.ts";

const window = {
  policy: "key",
  limit: 100,
  remaining: 7,
  window_seconds: 60,
  reset_at: "2030-01-01T00:01:00.000Z",
  reset_seconds: 41,
};
const end = Date.parse(window.reset_at);

test("what the database wrote is read, the seconds rounded up and never none", () => {
  expect(parseRateLimit(`key;100;7;60;${end};${end - 40_001}`)).toEqual(window);
  expect(parseRateLimit(`key;100;7;60;${end};${end + 5}`)).toMatchObject({ reset_seconds: 1 });
});

test.each([
  undefined,
  null,
  "",
  "key",
  "key;1;2;3;4",
  "key;1;2;3;4;5;6",
  "key;1;-2;3;4;5",
  "key;1;;3;4;5",
  "KEY;1;2;3;4;5",
  " key;1;2;3;4;5",
  'key";1;2;3;4;5',
  "key;1;2;3;4;5\r\nx: y",
  "{}",
])(
  "%j is nothing of ours",
  (text) => {
    expect(parseRateLimit(text)).toBeUndefined();
  },
);

test("of two windows the one with fewer left counts", () => {
  const roomy = { ...window, remaining: 8 };
  expect([tighter(window, roomy), tighter(roomy, window)]).toEqual([window, window]);
  expect([tighter(undefined, window), tighter(window, undefined), tighter(undefined, undefined)]).toEqual([
    window,
    window,
    undefined,
  ]);
  const alike = { ...window, policy: "organization" };
  expect(tighter(window, alike)).toBe(window);
});

test("both sets of headers say it, and Retry-After only where it refused", () => {
  const told = {
    "x-ratelimit-limit": "100",
    "x-ratelimit-remaining": "7",
    "x-ratelimit-reset": window.reset_at,
    "ratelimit-policy": '"key";q=100;w=60',
    ratelimit: '"key";r=7;t=41',
  };
  expect(rateLimitHeaders(window, false)).toEqual(told);
  expect(rateLimitHeaders(window, true)).toEqual({ ...told, "retry-after": "41" });
});
