import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { keepLog } from "../support/log.ts";
import { holding, startTrial, status, type Trial } from "../support/webhook-trial.ts";

const [minute, hour] = [60, 3600];
/** DESIGN §10, after the first try, in seconds. */
const schedule = [
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

let trial: Trial;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  trial = await startTrial();
});
afterAll(async () => {
  await trial.close();
  vi.unstubAllEnvs();
});
beforeEach(() => trial.clear());
afterEach(() => vi.spyOn(Math, "random").mockRestore());

const by = (random: number) => vi.spyOn(Math, "random").mockReturnValue(random);
const advance = (seconds: number) => trial.api.database.advanceClock(`${seconds} seconds`);

/** Not a millisecond before `seconds` are over, and then. */
async function expectTryAfter(seconds: number): Promise<void> {
  const before = trial.sink.calls.length;
  await advance(seconds - 0.001);
  expect(await trial.work(), `before ${seconds} s`).toBe(0);
  expect(trial.sink.calls).toHaveLength(before);
  await advance(0.001);
  expect(await trial.work(), `after ${seconds} s`).toBe(1);
  expect(trial.sink.calls).toHaveLength(before + 1);
}

describe("the schedule", () => {
  test.each([
    [0, 1],
    [0.5, 1.1],
    [0.999999, 1.1999998],
  ])(
    "is eleven tries in three days and three hours; chance %f stretches it by %f",
    async (random, stretch) => {
      by(random);
      await trial.subscribe("/hook");
      trial.sink.answers.set("/hook", status(404));
      await trial.emit();
      expect(await trial.work()).toBe(1);
      for (const [index, delay] of schedule.entries()) {
        expect(await trial.known()).toMatchObject([{ state: "pending", attempts: index + 1 }]);
        await expectTryAfter(delay * stretch);
      }
      expect(await trial.known()).toMatchObject([{ state: "failed", attempts: 11, failure: "http_error" }]);
      await advance(30 * 24 * hour);
      expect(await trial.work()).toBe(0);
      expect(trial.sink.calls).toHaveLength(11);
      const bytes = new Set(trial.sink.calls.map(({ headers, body }) => `${headers["webhook-id"]} ${body}`));
      expect(bytes.size).toBe(1);
    },
  );

  test("is never early and at most a fifth late, whatever chance says", async () => {
    await trial.subscribe("/hook", { max_concurrent: 50 });
    trial.sink.answers.set("/hook", status(404));
    await trial.emit(40);
    await trial.api.database.sql("postgres")`update mailpipe.webhook_endpoints set slots = 50`;
    await trial.work();
    const rows = await trial.api.database.sql("postgres")<{ seconds: number }[]>`
      select extract(epoch from due_at - mailpipe.clock())::float8 as seconds from mailpipe.jobs
    `;
    const waits = rows.map(({ seconds }) => seconds);
    expect(waits).toHaveLength(40);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5);
    expect(Math.max(...waits)).toBeLessThanOrEqual(6);
    expect(new Set(waits).size).toBeGreaterThan(30);
  });
});

describe("the next try", () => {
  beforeEach(async () => {
    by(0);
    await trial.subscribe("/hook");
  });

  const date = (seconds: number) =>
    new Date(Math.ceil(Date.now() / 1000) * 1000 + seconds * 1000).toUTCString();

  test.each([
    ["429", 429, 30],
    ["500", 500, 30],
    ["503", 503, 30],
    ["599", 599, 30],
    ["404", 404, 5],
    ["302", 302, 5],
  ])("after %s comes no sooner than this", async (_, code, seconds) => {
    trial.sink.answers.set("/hook", status(code));
    await trial.emit();
    await trial.work();
    await expectTryAfter(seconds);
  });

  test("after no answer within the deadline comes no sooner than 30 s", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const gate = holding();
    trial.sink.answers.set("/hook", gate.answer);
    await trial.emit();
    const working = trial.work();
    while (gate.held() === 0) await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(15_000);
    vi.useRealTimers();
    expect(await working).toBe(1);
    expect(await trial.known()).toMatchObject([{ state: "pending", failure: "timeout" }]);
    trial.sink.answers.clear();
    await expectTryAfter(30);
  });

  test.each([
    ["seconds", 429, () => "600", 600],
    ["less than the floor", 429, () => "1", 30],
    ["a negative number", 429, () => "-600", 30],
    ["ten years", 429, () => String(10 * 365 * 24 * hour), 24 * hour],
    ["ten years as a date", 429, () => date(10 * 365 * 24 * hour), 24 * hour],
    ["a date gone by", 503, () => date(-hour), 30],
    ["no time at all", 503, () => "soon", 30],
    ["seconds with a 404", 404, () => "600", 600],
  ])("comes when the receiver says so: %s", async (_, code, asked, seconds) => {
    trial.sink.answers.set(
      "/hook",
      (call, response) => status(code, { "retry-after": asked() })(call, response),
    );
    await trial.emit();
    await trial.work();
    await expectTryAfter(seconds);
  });

  test("comes at the HTTP date the receiver names", async () => {
    trial.sink.answers.set(
      "/hook",
      (call, response) => status(429, { "retry-after": date(hour) })(call, response),
    );
    await trial.emit();
    await trial.work();
    await advance(hour - 1);
    expect(await trial.work()).toBe(0);
    await advance(3);
    expect(await trial.work()).toBe(1);
  });

  test("comes at most a fifth later than a day, however long the receiver asks", async () => {
    by(0.999999);
    trial.sink.answers.set("/hook", status(429, { "retry-after": "999999999" }));
    await trial.emit();
    await trial.work();
    await expectTryAfter(24 * hour * 1.1999998);
  });
});

describe("a receiver that asks for time", () => {
  beforeEach(() => by(0));

  test.each([429, 503])("with %i gets nothing until then, while others get everything", async (code) => {
    await trial.subscribe("/busy", { max_concurrent: 1 });
    await trial.subscribe("/free");
    trial.sink.answers.set("/busy", status(code, { "retry-after": "600" }));
    await trial.emit(3);
    await trial.work();
    trial.sink.answers.clear();
    expect([trial.sink.to("/busy").length, trial.sink.to("/free").length]).toEqual([1, 3]);
    await advance(599.999);
    await trial.emit();
    await trial.work();
    expect([trial.sink.to("/busy").length, trial.sink.to("/free").length]).toEqual([1, 4]);
    await advance(0.001);
    while (await trial.work() > 0);
    expect(trial.sink.to("/busy")).toHaveLength(5);
  });

  test("with another status is asked for everything else meanwhile", async () => {
    await trial.subscribe("/hook", { max_concurrent: 1 });
    trial.sink.answers.set("/hook", status(404, { "retry-after": "600" }));
    await trial.emit(3);
    await trial.work();
    expect(trial.sink.to("/hook")).toHaveLength(3);
  });

  test("is left alone though a try from before ends well after it asked", async () => {
    await trial.subscribe("/hook");
    const slow = holding();
    const answers = [slow.answer, status(429, { "retry-after": "600" })];
    trial.sink.answers.set("/hook", (call, response) => (answers.shift() ?? status(200))(call, response));
    await trial.emit(2);
    const working = trial.work();
    const failed = async () => (await trial.known()).some(({ failure }) => failure === "http_error");
    await vi.waitUntil(async () => slow.held() === 1 && await failed());
    slow.release();
    expect(await working).toBe(2);
    await trial.emit();
    await advance(599);
    expect(await trial.work()).toBe(0);
    await advance(1);
    expect(await trial.work()).toBe(2);
  });
});
