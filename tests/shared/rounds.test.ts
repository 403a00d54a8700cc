import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { inRounds } from "../../shared/rounds.ts";

let now = 0;

beforeEach(() => {
  now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

test("what is due is worked off round by round, and counted", async () => {
  const due = [[1, 2, 3], [4], []];
  const worked: number[] = [];
  const claim = () => Promise.resolve(due.shift() ?? []);
  const done = await inRounds(claim, (claimed) => Promise.resolve(void worked.push(...claimed)));
  expect([done, worked]).toEqual([4, [1, 2, 3, 4]]);
});

test("nothing due is no work", async () => {
  const work = vi.fn();
  expect(await inRounds(() => Promise.resolve([]), work)).toBe(0);
  expect(work).not.toHaveBeenCalled();
});

test("after a minute nothing more is claimed: a claim nobody works on would wait for its lease", async () => {
  const claim = vi.fn(() => Promise.resolve([1]));
  const done = await inRounds(claim, () => {
    now += 20_000;
    return Promise.resolve();
  });
  expect(done).toBe(3);
  expect(claim).toHaveBeenCalledTimes(3);
});

test("a failed round ends the wake-up and is not claimed again by it", async () => {
  const claim = vi.fn(() => Promise.resolve([1]));
  await expect(inRounds(claim, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(claim).toHaveBeenCalledTimes(1);
});
