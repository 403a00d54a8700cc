import { expect, test } from "vitest";
import { retryAfterSeconds } from "../../shared/retry-after.ts";

const now = new Date("2025-01-02T03:04:05Z");

test.each([
  ["0", 0],
  ["30", 30],
  ["1.2", 2],
  ["315360000", 86_400],
  ["9999999999999999999", null],
  ["-1", null],
  ["", null],
  [null, null],
  [undefined, null],
  ["soon", null],
  ["1e9", null],
  ["Thu, 02 Jan 2025 03:05:05 GMT", 60],
  ["Thursday, 02-Jan-25 03:04:06 GMT", 1],
  ["Thu Jan  2 03:04:35 2025 GMT", 30],
  ["Thu, 02 Jan 2020 03:04:05 GMT", 0],
  ["Thu, 02 Jan 2035 03:04:05 GMT", 86_400],
  ["2025-01-02T03:05:05Z", null],
])("%j is %s seconds", (value, seconds) => {
  expect(retryAfterSeconds(value, now)).toBe(seconds);
});
