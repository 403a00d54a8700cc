import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { call } from "../../shared/database.ts";
import type { DeliveryResult } from "../../shared/dispatching.ts";
import { hashOf, send } from "../database/tenant.ts";
import { keepLog } from "../support/log.ts";
import { exchange, found, holding, startTrial, type Trial, worker } from "../support/webhook-trial.ts";

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

const owner = () => trial.api.database.sql("postgres");

const attempts = () =>
  owner()`select fence::int, outcome, finished_at is null as open from mailpipe.attempts order by job_id, fence`;

/** Everything a result could change. */
const everything = async () => [
  await owner()`select id, fence, lane, due_at, lease_until, attempts from mailpipe.jobs order by id`,
  await owner()`select id, state, attempts, failure, finished_at from mailpipe.deliveries order by id`,
  await owner()`select * from mailpipe.attempts order by job_id, fence`,
  await owner()`select id, enabled, slots, failing_since, resume_at from mailpipe.webhook_endpoints order by id`,
  await owner()`select count(*)::int from mailpipe.events`,
];

describe("a result that comes after another worker has claimed the delivery", () => {
  test.each<[string, Partial<DeliveryResult>]>([
    ["it succeeded", {}],
    ["it failed", { outcome: "http_error", status_code: 500, overloaded: true, retry_in_seconds: 30 }],
    ["it was refused for good", { outcome: "http_error", status_code: 410, disable: "gone" }],
    ["the receiver asks to be left alone", {
      outcome: "http_error",
      overloaded: true,
      retry_in_seconds: 600,
      leave_alone_seconds: 600,
    }],
  ])("changes nothing: %s", async (_, facts) => {
    await trial.subscribe("/hook");
    await trial.emit();
    const [late] = await exchange();
    await trial.api.database.advanceClock("60 seconds");
    const [holder] = await exchange();
    expect([late?.fence, holder?.fence, holder?.attempt]).toEqual([1, 2, 2]);
    const before = await everything();
    expect(await exchange([found(late, facts)])).toEqual([]);
    expect(await everything()).toEqual(before);
    expect([...await attempts()]).toMatchObject([{ fence: 1, open: true }, { fence: 2, open: true }]);
    await exchange([found(holder)]);
    expect(await trial.known()).toMatchObject([{ state: "succeeded", attempts: 1 }]);
    expect([...await attempts()]).toMatchObject([{ fence: 1, open: true }, { fence: 2, open: false }]);
    const after = await everything();
    await exchange([found(late, facts), found(holder, facts)]);
    expect(await everything()).toEqual(after);
  });

  test("though a result within a lease that is over and nobody else's counts", async () => {
    await trial.subscribe("/hook");
    await trial.emit();
    const [late] = await exchange();
    await trial.api.database.advanceClock("1 hour");
    await exchange([found(late)], 0);
    expect(await trial.known()).toMatchObject([{ state: "succeeded", attempts: 1, unfinished: 0 }]);
  });

  test("does not keep the other results of the same call from counting", async () => {
    for (const path of ["/a", "/b"]) await trial.subscribe(path);
    await trial.emit();
    const [one, other] = await exchange();
    await exchange([found(one, { fence: 7 }), found(other)], 0);
    const deliveries = await trial.known();
    expect(deliveries.map(({ state }) => state).sort()).toEqual(["pending", "succeeded"]);
  });
});

describe("claims", () => {
  test("by four workers at once are of different deliveries, and all are claimed", async () => {
    for (let each = 0; each < 12; each++) await trial.subscribe(`/${each}`);
    await trial.emit(3);
    const claimed = (await Promise.all([1, 2, 3, 4].map(() => exchange([], 9)))).flat();
    while (claimed.length < 36) {
      const more = await exchange();
      if (more.length === 0) break;
      claimed.push(...more);
    }
    expect(new Set(claimed.map(({ delivery_id }) => delivery_id)).size).toBe(36);
    expect(claimed).toHaveLength(36);
    expect(claimed.every(({ fence }) => fence === 1)).toBe(true);
  });

  test.each(["jobs", "webhook_endpoints"])(
    "leave alone what somebody else has locked in %s",
    async (table) => {
      for (const path of ["/a", "/b"]) await trial.subscribe(path);
      await trial.emit();
      await owner().begin(async (transaction) => {
        await transaction.unsafe(`select from mailpipe.${table} order by id limit 1 for no key update`);
        // Whoever waits here waits for ever.
        expect(await exchange()).toHaveLength(1);
      });
      expect(await exchange()).toHaveLength(1);
    },
  );

  test("of four workers at once come to one request a delivery", async () => {
    for (const path of ["/a", "/b", "/c"]) await trial.subscribe(path);
    await trial.emit(10);
    const done = await Promise.all([1, 2, 3, 4].map(() => trial.work()));
    expect(done.reduce((sum, each) => sum + each, 0)).toBe(30);
    expect(trial.sink.calls).toHaveLength(30);
    for (const path of ["/a", "/b", "/c"]) {
      expect(new Set(trial.sink.to(path).map(({ headers }) => headers["webhook-id"])).size).toBe(10);
    }
  });

  test("of two workers who compose the same event at once send the same bytes", async () => {
    for (const path of ["/a", "/b"]) await trial.subscribe(path);
    await trial.emit();
    const [event] = await owner()<{ id: string }[]>`select id from mailpipe.events`;
    const store = (body: string) =>
      call("store_event_bodies", { p_caller: worker, p_bodies: { [event?.id ?? ""]: { body } } });
    const answers = await Promise.all(['{"a":1}', '{"b":2}'].map(store));
    expect(answers[0]).toEqual(answers[1]);
    const first = answers[0]?.[event?.id ?? ""] as { body: string };
    await trial.work();
    expect(trial.sink.calls.map(({ body }) => body)).toEqual([first.body, first.body]);
  });
});

describe("an attempt", () => {
  test("is on record, unfinished, while its request is under way", async () => {
    await trial.subscribe("/hook");
    await trial.emit();
    const gate = holding();
    trial.sink.answers.set("/hook", gate.answer);
    const working = trial.work();
    await vi.waitUntil(() => gate.held() === 1);
    expect([...await attempts()]).toEqual([{ fence: 1, outcome: null, open: true }]);
    expect(await trial.known()).toMatchObject([{ state: "pending", attempts: 0, unfinished: 1 }]);
    gate.release();
    expect(await working).toBe(1);
    expect([...await attempts()]).toEqual([{ fence: 1, outcome: "succeeded", open: false }]);
  });
});

describe("an event", () => {
  test("and its deliveries are there with the change it tells of, and not without", async () => {
    await trial.subscribe("/hook", { events: ["email.queued"] });
    const waiting = async () => [
      ...await owner()`
        select (select count(*)::int from mailpipe.events) as events,
               (select count(*)::int from mailpipe.deliveries) as deliveries,
               (select count(*)::int from mailpipe.jobs where kind = 'dispatch_delivery') as jobs
      `,
    ];
    const caller = { key_hash: hashOf(trial.tenant.test) };
    const service = trial.api.database.sql("service_role");
    const undone = service.begin(async (transaction) => {
      expect(await send(transaction as unknown as Sql, caller, "undone")).toMatch(/^msg_/);
      throw new Error("undone");
    });
    await expect(undone).rejects.toThrow("undone");
    expect(await waiting()).toEqual([{ events: 0, deliveries: 0, jobs: 0 }]);
    await send(service, caller, "done");
    expect(await waiting()).toEqual([{ events: 1, deliveries: 1, jobs: 1 }]);
  });

  test("is delivered to an endpoint once: a second delivery is refused, and so is a second job", async () => {
    await trial.subscribe("/hook");
    await trial.emit();
    const again = owner()`
      insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id)
      select organization_id, environment, event_id, endpoint_id from mailpipe.deliveries
    `;
    await expect(again).rejects.toMatchObject({ constraint_name: "deliveries_one_per_endpoint" });
    const job = owner()`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id, group_id)
      select organization_id, environment, kind, subject_id, group_id from mailpipe.jobs
    `;
    await expect(job).rejects.toMatchObject({ constraint_name: "jobs_one_per_subject" });
  });

  test("subscribed to twice over, by its name and by *, is delivered once", async () => {
    await trial.subscribe("/hook", { events: ["email.queued", "*"] });
    await trial.emit();
    await trial.work();
    expect(trial.sink.calls).toHaveLength(1);
  });
});
