import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isBeyondSchedule, retryDelay } from "../../shared/retry-schedule.ts";

const minute = 60;
const hour = 3600;

// DESIGN §10, after the first try at 0 s.
const documented = [
  5,
  minute,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

const names = ["webhook", "mail", "inbound"] as const;
const schedule = fc.constantFrom(...names);
const attempt = fc.integer({ min: 1, max: 9 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("the next try", () => {
  test("of a webhook comes when the documentation says, and after the last there is none", () => {
    expect(documented.map((_, index) => retryDelay("webhook", index + 1, 0))).toEqual(documented);
    expect(retryDelay("webhook", documented.length + 1, 0)).toBeNull();
  });

  test.each(names)("of %s is never sooner than the one before it", (name) => {
    const delays = Array.from({ length: 12 }, (_, index) => retryDelay(name, index + 1, 0))
      .filter((delay) => delay !== null);
    expect(delays.length).toBeGreaterThan(8);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
  });

  test("is never early and at most a fifth late", () => {
    fc.assert(fc.property(schedule, attempt, random, (name, tried, luck) => {
      const planned = retryDelay(name, tried, 0) ?? NaN;
      const delay = retryDelay(name, tried, luck) ?? NaN;
      return delay >= planned && delay <= planned * 1.2;
    }));
    expect(retryDelay("webhook", 1, 0.5)).toBeCloseTo(5.5);
  });

  test("waits as long as was asked for, up to a day, and never shorter than planned", () => {
    const asked = fc.integer({ min: 0, max: 10 * 24 * hour });
    fc.assert(fc.property(schedule, attempt, random, asked, (name, tried, luck, seconds) => {
      const delay = retryDelay(name, tried, luck, seconds) ?? NaN;
      const planned = retryDelay(name, tried, 0) ?? NaN;
      const least = Math.max(planned, Math.min(seconds, 24 * hour));
      return delay >= least && delay <= least * 1.2;
    }));
    expect(retryDelay("webhook", 1, 0, 30 * 24 * hour)).toBe(24 * hour);
  });

  test("is not given back by asking to wait once the schedule is over", () => {
    expect(retryDelay("webhook", 11, 0, hour)).toBeNull();
  });
});

test("a try is beyond its schedule when no earlier one could have asked for it", () => {
  for (const name of names) {
    const tries = Array.from({ length: 20 }, (_, index) => index + 1);
    const last = tries.findLast((tried) => !isBeyondSchedule(name, tried)) ?? 0;
    expect(retryDelay(name, last - 1, 0)).not.toBeNull();
    expect(retryDelay(name, last, 0)).toBeNull();
    expect(isBeyondSchedule(name, last + 1)).toBe(true);
  }
});
