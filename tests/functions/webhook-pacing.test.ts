import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { DeliveryWork } from "../../shared/schemas/outgoing.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { exchange, found, holding, startTrial, status, type Trial } from "../support/webhook-trial.ts";

let trial: Trial;
let others: Tenant[];

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  trial = await startTrial();
  others = [];
  for (let each = 0; each < 4; each++) others.push(await foundTenant(trial.api, `other${each}`));
});
afterAll(async () => {
  await trial.close();
  vi.unstubAllEnvs();
});
beforeEach(() => trial.clear());
afterEach(() => vi.spyOn(globalThis, "setTimeout").mockRestore());

const owner = () => trial.api.database.sql("postgres");
const advance = (seconds: number) => trial.api.database.advanceClock(`${seconds} seconds`);
const setSlots = (slots: number) => owner()`update mailpipe.webhook_endpoints set slots = ${slots}`;

const overload = { outcome: "http_error", status_code: 500, overloaded: true, retry_in_seconds: 30 };
/** Of the receiver's trouble; due again at once, so that there is always a retry to make. */
const again = { ...overload, retry_in_seconds: 0 };
const refused = { outcome: "http_error", status_code: 404, retry_in_seconds: 5 };

const lanes = (claimed: DeliveryWork[]) => {
  const count = (lane: string) => claimed.filter((each) => each.lane === lane).length;
  return { first: count("first"), retry: count("retry") };
};
/** How many of the claims are an endpoint's. */
const of = (claimed: DeliveryWork[], path: string) =>
  claimed.filter(({ url }) => new URL(url).pathname === path).length;

/** Lets `count` events of an endpoint fail once, so that they wait as retries that are due. */
async function retriesWait(count: number): Promise<void> {
  await trial.emit(count);
  await setSlots(50);
  for (let claimed = await exchange(); claimed.length > 0;) {
    claimed = await exchange(claimed.map((work) => found(work, refused)));
  }
  await advance(5);
}

describe("an endpoint is asked", () => {
  test("by more at once the better it answers, up to what its owner allows", async () => {
    await trial.subscribe("/hook", { max_concurrent: 12 });
    await trial.emit(100);
    const waves: number[] = [];
    for (let claimed = await exchange(); claimed.length > 0 && waves.length < 5;) {
      waves.push(claimed.length);
      claimed = await exchange(claimed.map((work) => found(work)));
    }
    // One is left to retries: a success more is a slot more.
    expect(waves).toEqual([3, 6, 11, 11, 11]);
  });

  test("by half as many when some of it is too much, and by two when all is", async () => {
    await trial.subscribe("/hook", { max_concurrent: 20 });
    await trial.emit(200);
    await setSlots(20);
    const claimed = await exchange();
    expect(claimed).toHaveLength(19);
    const [one, ...rest] = claimed.map((work) => found(work));
    if (one === undefined) throw new Error("nothing was claimed");
    const half = await exchange([{ ...one, ...overload }, ...rest]);
    expect(half).toHaveLength(9);
    expect(await exchange(half.map((work) => found(work, overload)))).toEqual([]);
    await advance(1);
    expect(lanes(await exchange())).toEqual({ first: 1, retry: 0 });
  });

  test("by two at a time at most while it fails, one a lane, and after a second of rest", async () => {
    await trial.subscribe("/hook");
    await trial.emit(20);
    let claimed = await exchange();
    expect(claimed).toHaveLength(3);
    await exchange(claimed.map((work) => found(work, again)), 0);
    await advance(1);
    for (let round = 0; round < 5; round++) {
      claimed = await exchange();
      expect(lanes(claimed)).toEqual({ first: 1, retry: 1 });
      expect(await exchange()).toEqual([]);
      expect(await exchange(claimed.map((work) => found(work, again)))).toEqual([]);
      await advance(0.999);
      expect(await exchange()).toEqual([]);
      await advance(0.001);
    }
  });

  test("as before when it refuses what it is sent: that is no trouble of its own", async () => {
    await trial.subscribe("/hook");
    await trial.emit(20);
    const claimed = await exchange();
    expect(lanes(await exchange(claimed.map((work) => found(work, refused))))).toEqual({
      first: 3,
      retry: 0,
    });
  });

  test.each([1, 2, 5])(
    "by %i at once at most, however many workers there are and whatever waits",
    async (most) => {
      await trial.subscribe("/hook", { max_concurrent: most });
      await retriesWait(10);
      await trial.emit(15);
      // It was allowed more before its owner thought better of it.
      await setSlots(50);
      const gate = holding();
      trial.sink.answers.set("/hook", gate.answer);
      trial.api.calls.length = 0;
      const working = Promise.all([1, 2, 3, 4].map(() => trial.work()));
      const asked = () => trial.api.calls.filter(({ rpc }) => rpc === "exchange_deliveries").length;
      await vi.waitUntil(() => asked() >= 4 && gate.held() >= most, { timeout: 5000 });
      const letting = setInterval(() => gate.release(), 10);
      await working.finally(() => clearInterval(letting));
      while (await trial.work() > 0);
      expect(trial.sink.most.get("/hook")).toBe(most);
      expect(trial.sink.to("/hook")).toHaveLength(25);
    },
  );
});

describe("the lanes of an endpoint", () => {
  test("leave each other a slot, however much waits in one", async () => {
    await trial.subscribe("/hook");
    await retriesWait(20);
    await setSlots(4);
    const retries = await exchange();
    expect(lanes(retries)).toEqual({ first: 0, retry: 3 });
    await trial.emit(20);
    expect(lanes(await exchange())).toEqual({ first: 1, retry: 0 });
    expect(await exchange()).toEqual([]);
    // The slot that gets free is whose turn is first, up to three of the four.
    expect(lanes(await exchange(retries.slice(0, 1).map((work) => found(work, refused))))).toEqual({
      first: 1,
      retry: 0,
    });
  });

  test("have room of their own in a worker: retries that hang are none in the way of a first try", async () => {
    for (let each = 0; each < 20; each++) await trial.subscribe(`/${each}`, { events: ["email.queued"] });
    await retriesWait(3);
    const gate = holding();
    for (let each = 0; each < 20; each++) trial.sink.answers.set(`/${each}`, gate.answer);
    const hanging = trial.work();
    await vi.waitUntil(() => gate.held() === 16);
    await trial.emit();
    const first = trial.work();
    await vi.waitUntil(() => gate.held() > 32);
    gate.release();
    trial.sink.answers.clear();
    await Promise.all([hanging, first]);
  });
});

describe("an endpoint's own rate", () => {
  test("is not exceeded by several workers at once", async () => {
    await trial.subscribe("/hook", { max_per_second: 5 });
    await trial.emit(40);
    await setSlots(50);
    const claimed = await Promise.all([1, 2, 3, 4].map(() => exchange()));
    expect(claimed.flat().length).toBeLessThanOrEqual(5);
    while ((await exchange()).length > 0);
    const begun = async () => (await trial.known()).filter(({ unfinished }) => unfinished > 0).length;
    expect(await begun()).toBe(5);
    await advance(1);
    await exchange();
    expect(await begun()).toBeLessThanOrEqual(10);
  });

  test("is waited for, a second at a time, while there is something to do", async () => {
    await trial.subscribe("/hook", { max_per_second: 3 });
    await trial.emit(10);
    const perSecond = [0];
    trial.sink.answers.set("/hook", (call, response) => {
      perSecond.push((perSecond.pop() ?? 0) + 1);
      status(200)(call, response);
    });
    const real = setTimeout;
    vi.spyOn(globalThis, "setTimeout").mockImplementation(
      ((run: () => void, ms: number) => {
        if (ms !== 1000) return real(run, ms);
        perSecond.push(0);
        return void advance(1).then(run);
      }) as typeof setTimeout,
    );
    expect(await trial.work()).toBe(10);
    expect(perSecond).toEqual([3, 3, 3, 1]);
  });
});

describe("turns", () => {
  const subscribeAs = (tenant: Tenant, path: string, changes = {}) =>
    trial.subscribe(path, changes, tenant.test);

  test("are the organizations', before they are the endpoints' of one", async () => {
    const [big] = others;
    if (big === undefined) throw new Error("nobody else");
    for (let each = 0; each < 40; each++) await subscribeAs(big, `/big/${each}`);
    await trial.emit(5, { tenant: big });
    await advance(1);
    await trial.subscribe("/small");
    await trial.emit();
    for (const room of [2, 32]) {
      const claimed = await exchange([], room);
      expect([room, of(claimed, "/small")]).toEqual([room, room === 2 ? 1 : 0]);
    }
  });

  test("are shares: one endpoint that may be asked by fifty does not take all the room there is", async () => {
    const [big] = others;
    if (big === undefined) throw new Error("nobody else");
    await subscribeAs(big, "/big", { max_concurrent: 50 });
    await trial.emit(100, { tenant: big });
    await setSlots(50);
    await advance(1);
    await trial.subscribe("/small");
    await trial.emit();
    const claimed = await exchange();
    expect(of(claimed, "/small")).toBe(1);
    expect(of(claimed, "/big")).toBeGreaterThanOrEqual(16);
  });

  test("go to who has least under way, not to who has waited longest", async () => {
    for (const [each, tenant] of others.entries()) {
      await subscribeAs(tenant, `/big/${each}`, { max_concurrent: 50 });
      await trial.emit(100, { tenant });
    }
    await setSlots(50);
    const busy = await exchange();
    expect(busy).toHaveLength(32);
    await advance(1);
    await trial.subscribe("/small");
    await trial.emit();
    // One of the 32 ends: there is room for one.
    const claimed = await exchange(busy.slice(0, 1).map((work) => found(work)), 1);
    expect([claimed.length, of(claimed, "/small")]).toEqual([1, 1]);
  });

  test("go to nobody whose retries wait for later", async () => {
    for (let each = 0; each < 7; each++) {
      await trial.subscribe(`/later/${each}`, { events: ["email.queued"] });
    }
    await trial.emit();
    const later = await exchange();
    await exchange(later.map((work) => found(work, { ...refused, retry_in_seconds: 3600 })), 0);
    await owner()`update mailpipe.webhook_endpoints set enabled = false, disabled_reason = 'by_hand', disabled_at = now()`;
    await trial.subscribe("/now", { max_concurrent: 50 });
    await retriesWait(20);
    await owner()`update mailpipe.webhook_endpoints set enabled = true, disabled_reason = null, disabled_at = null`;
    // Their turns would have left it one of eight.
    expect(of(await exchange([], 8), "/now")).toBe(8);
  });

  test("go to the endpoint with least under way within an organization too", async () => {
    await trial.subscribe("/big", { max_concurrent: 50 });
    await trial.emit(100);
    await setSlots(50);
    const busy = await exchange();
    expect(busy).toHaveLength(32);
    await advance(1);
    await trial.subscribe("/small");
    await trial.emit();
    const claimed = await exchange(busy.slice(0, 1).map((work) => found(work)), 1);
    expect([claimed.length, of(claimed, "/small")]).toEqual([1, 1]);
  });
});

describe("an endpoint that was out for six hours", () => {
  test("gets what waits two at a time, then more and more, never more than it may", async () => {
    await trial.subscribe("/hook", { max_concurrent: 10 });
    trial.sink.answers.set("/hook", status(503));
    await trial.emit(200);
    for (let minutes = 0; minutes < 360; minutes += 10) {
      await trial.work();
      await advance(600);
    }
    const outage = trial.sink.most.get("/hook") ?? 0;
    expect(outage).toBeLessThanOrEqual(3);
    const waves: number[] = [];
    for (let claimed = await exchange(); claimed.length > 0 && waves.length < 5;) {
      waves.push(claimed.length);
      claimed = await exchange(claimed.map((work) => found(work)), waves.length < 5 ? 32 : 0);
    }
    expect(waves).toEqual([2, 4, 8, 10, 10]);
    trial.sink.most.clear();
    trial.sink.answers.clear();
    while (await trial.work() > 0);
    expect(trial.sink.most.get("/hook")).toBeLessThanOrEqual(10);
    await advance(86_400 * 4);
    while (await trial.work() > 0);
    expect(new Set((await trial.known()).map(({ state }) => state))).toEqual(new Set(["succeeded"]));
  });
});

describe("another tenant's endpoints that never answer", () => {
  test.each([10, 40])(
    "%i of them: a healthy one's first delivery arrives when a worker is woken",
    async (count) => {
      const [sick] = others;
      if (sick === undefined) throw new Error("nobody else");
      const gate = holding();
      for (let each = 0; each < count; each++) {
        await trial.subscribe(`/hangs/${each}`, {}, sick.test);
        trial.sink.answers.set(`/hangs/${each}`, gate.answer);
      }
      await trial.emit(20, { tenant: sick });
      const stuck = trial.work();
      await vi.waitUntil(() => gate.held() >= 30);
      await trial.subscribe("/healthy");
      await trial.emit();
      const woken = trial.work();
      // Nobody has let go of anything.
      await vi.waitUntil(() => trial.sink.to("/healthy").length === 1, { timeout: 5000, interval: 5 });
      const letting = setInterval(() => gate.release(), 5);
      trial.sink.answers.clear();
      await Promise.all([stuck, woken]).finally(() => clearInterval(letting));
      expect(await trial.known()).toMatchObject([{ path: "/healthy", state: "succeeded", attempts: 1 }]);
    },
  );
});
