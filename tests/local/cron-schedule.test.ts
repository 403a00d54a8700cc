import { describe, expect, it } from "vitest";
import { isDue } from "../../supabase/local/cron-schedule.ts";

// A Wednesday.
const at = (time: string) => new Date(`2026-11-25T${time}Z`);

describe("a schedule in seconds", () => {
  it("is due once that many seconds have passed since the last run", () => {
    expect(isDue("5 seconds", at("12:00:00"), at("12:00:04.999"))).toBe(false);
    expect(isDue("5 seconds", at("12:00:00"), at("12:00:05"))).toBe(true);
  });
});

describe("a schedule of five fields", () => {
  it.each([
    ["* * * * *", "12:34:00", true],
    ["34 12 * * *", "12:34:59", true],
    ["34 12 * * *", "12:35:00", false],
    ["*/15 * * * *", "12:45:00", true],
    ["*/15 * * * *", "12:46:00", false],
    ["0,30-32 * * * *", "12:31:00", true],
    ["0,30-32 * * * *", "12:33:00", false],
    ["3/10 * * * *", "12:13:00", true],
    ["0 12 25 11 *", "12:00:00", true],
    ["0 12 25 12 *", "12:00:00", false],
    ["0 12 * * 3", "12:00:00", true],
    ["0 12 * * 4,7", "12:00:00", false],
    // Both days restricted: either is enough.
    ["0 12 1 * 3", "12:00:00", true],
    ["0 12 25 * 7", "12:00:00", true],
    ["0 12 1 * 7", "12:00:00", false],
  ])("%s at %s on Wednesday, 25 November is due: %s", (schedule, time, due) => {
    expect(isDue(schedule, at("00:00:00"), at(time))).toBe(due);
  });

  it("takes 0 and 7 for Sunday", () => {
    const sunday = new Date("2026-11-29T12:00:00Z");
    expect(isDue("* * * * 0", at("12:00:00"), sunday)).toBe(true);
    expect(isDue("* * * * 7", at("12:00:00"), sunday)).toBe(true);
  });

  it("is due once a minute", () => {
    expect(isDue("* * * * *", at("12:00:59"), at("12:01:00"))).toBe(true);
    expect(isDue("* * * * *", at("12:01:00"), at("12:01:59"))).toBe(false);
  });
});

describe("anything else", () => {
  it.each(["", "60 seconds", "0 seconds", "5 minutes", "* * * *", "x * * * *", "@daily"])(
    "%j is refused",
    (schedule) => expect(() => isDue(schedule, at("12:00:00"), at("13:00:00"))).toThrow(/schedule/),
  );
});
