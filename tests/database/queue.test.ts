import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, mail, rpc, send, type Tenant, worker } from "./tenant.ts";

interface Work {
  job_id: string;
  fence: number;
  attempt: number;
  unfinished_attempt: boolean;
  message: { id: string };
}

let database: TestDatabase;
let owner: Sql;
let service: Sql;
let acme: Tenant;

beforeAll(async () => {
  database = await cloneDatabase();
  await database.setClock("2026-03-01T12:00:00Z");
  owner = database.sql("postgres");
  service = database.sql("service_role");
  acme = await foundTenant(database, "Acme");
});
afterAll(() => database.close());
beforeEach(async () => {
  await owner`truncate mailpipe.jobs, mailpipe.messages, mailpipe.idempotency_records cascade`;
});

const claim = (p_limit = 8, p_message_id: string | null = null) =>
  rpc<Work[]>(service, "claim_messages", { p_caller: worker, p_limit, p_message_id });

const finish = (work: Work | undefined, p_result: Record<string, unknown>) =>
  rpc(service, "finish_message", {
    p_caller: worker,
    p_job_id: work?.job_id,
    p_fence: work?.fence,
    p_result: { retry_in_seconds: null, ...p_result },
  });

/** Puts the attempt on record, as deliver-mail does right before it calls a provider. */
const begin = (work: Work | undefined) =>
  rpc(service, "begin_attempt", { p_caller: worker, p_job_id: work?.job_id, p_fence: work?.fence });

const sent = { outcome: "sent", provider_message_id: "abc", response: "250 ok" };

describe("a claim", () => {
  test("is one worker's while its lease runs, and another's after", async () => {
    const id = await send(service, acme.test, "one");
    const held = { attempt: 1, fence: 1, unfinished_attempt: false, message: { id } };
    expect(await claim()).toMatchObject([held]);
    expect(await claim()).toEqual([]);
    await database.advanceClock("119 seconds");
    expect(await claim()).toEqual([]);
    await database.advanceClock("1 second");
    expect(await claim()).toMatchObject([{ ...held, attempt: 2, fence: 2 }]);
  });

  test("says that an earlier one began and nobody wrote how it ended", async () => {
    await send(service, acme.test, "one");
    const [crashed] = await claim();
    expect(await begin(crashed)).toEqual({ begun: true });
    await database.advanceClock("120 seconds");
    expect(await claim()).toMatchObject([{ attempt: 2, unfinished_attempt: true }]);
  });

  test("of a worker that comes late is refused, and writes nothing", async () => {
    await send(service, acme.test, "one");
    const [late] = await claim();
    await begin(late);
    await database.advanceClock("120 seconds");
    const [holder] = await claim();
    expect(await begin(late)).toEqual({ begun: false });
    await begin(holder);
    expect(await finish(late, { outcome: "failed", reason: "late" })).toEqual({ accepted: false });
    expect(await owner`select status from mailpipe.messages`).toEqual([{ status: "sending" }]);
    expect(await owner`select fence::int, outcome from mailpipe.attempts order by fence`).toEqual([
      { fence: 1, outcome: null },
      { fence: 2, outcome: null },
    ]);
    expect(await finish(holder, sent)).toEqual({ accepted: true });
    expect(await finish(holder, sent)).toEqual({ accepted: false });
    expect(await owner`select status from mailpipe.messages`).toEqual([{ status: "sent" }]);
    expect(await owner`select id from mailpipe.jobs`).toEqual([]);
  });

  test("takes each job once, however many workers ask at the same time", async () => {
    for (let each = 0; each < 12; each++) await send(service, acme.test, `mail ${each}`);
    const claimed = (await Promise.all(Array.from({ length: 4 }, () => claim(5)))).flat();
    expect(new Set(claimed.map((work) => work.job_id)).size).toBe(claimed.length);
    expect([...claimed, ...await claim(50)]).toHaveLength(12);
  });

  test("never lets first tries wait behind retries", async () => {
    const old = await Promise.all(["a", "b", "c"].map((subject) => send(service, acme.test, subject)));
    for (const work of await claim()) {
      await finish(work, { outcome: "retry", reason: "busy", retry_in_seconds: 1 });
    }
    await database.advanceClock("1 hour");
    const fresh = await send(service, acme.test, "fresh");
    const taken = await claim(1);
    expect(taken).toHaveLength(2);
    expect(taken.map((work) => work.message.id)).toContain(fresh);
    expect(old).toContain(taken.map((work) => work.message.id).find((id) => id !== fresh));
  });

  test("of one message takes that message alone, and only when it is due", async () => {
    const [, wanted] = [await send(service, acme.test, "other"), await send(service, acme.test, "wanted")];
    expect(await claim(8, wanted)).toMatchObject([{ message: { id: wanted } }]);
    expect(await claim(8, wanted)).toEqual([]);
  });

  test("of a retry is not due before its time", async () => {
    await send(service, acme.test, "one");
    const [work] = await claim();
    await finish(work, { outcome: "retry", reason: "busy", retry_in_seconds: 60 });
    await database.advanceClock("59.999 seconds");
    expect(await claim()).toEqual([]);
    await database.advanceClock("0.001 seconds");
    expect(await claim()).toHaveLength(1);
  });
});

describe("promise 2: one idempotency key means at most one message", () => {
  const attempt = (sql: Sql, subject: string, key = "order-1") =>
    rpc(sql, "send_mail", { p_caller: acme.test, p_idempotency_key: key, p_request: mail(subject) });

  test("among fifty calls at the same time: one message, forty-nine replays", async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => attempt(service, "same")));
    expect(answers.filter((answer) => answer["replayed"] === false)).toHaveLength(1);
    expect(new Set(answers.map((answer) => answer["id"])).size).toBe(1);
    expect(await owner`select count(*)::int from mailpipe.messages`).toEqual([{ count: 1 }]);
    expect(await owner`select count(*)::int from mailpipe.jobs`).toEqual([{ count: 1 }]);
  });

  test("among fifty different bodies at the same time: one message, forty-nine conflicts", async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, (_, each) => attempt(service, `body ${each}`)),
    );
    const refused = answers.filter((answer) => answer.status === "rejected").map((answer) => answer.reason);
    expect(refused).toHaveLength(49);
    for (const reason of refused) {
      expect(reason).toMatchObject({ code: "PT409", message: "idempotency_key_reused" });
    }
    expect(await owner`select count(*)::int from mailpipe.messages`).toEqual([{ count: 1 }]);
  });

  test("a call that rolled back leaves the key to the next", async () => {
    await service.begin(async (transaction) => {
      await attempt(transaction as unknown as Sql, "lost");
      throw new Error("crash");
    }).catch(() => {});
    expect(await attempt(service, "kept")).toMatchObject({ replayed: false });
    expect(await owner`select subject from mailpipe.messages`).toEqual([{ subject: "kept" }]);
  });

  test("the body is compared by meaning, not by the order of its fields", async () => {
    const first = await attempt(service, "same");
    const reordered = Object.fromEntries(Object.entries(mail("same")).reverse());
    expect(
      await rpc(service, "send_mail", {
        p_caller: acme.test,
        p_idempotency_key: "order-1",
        p_request: reordered,
      }),
    ).toEqual({ ...first, replayed: true });
  });

  test("the key is the organization's and the environment's own", async () => {
    const first = await attempt(service, "same");
    const live = await rpc(service, "send_mail", {
      p_caller: acme.live,
      p_idempotency_key: "order-1",
      p_request: mail("another body"),
    });
    expect(live).toMatchObject({ replayed: false });
    expect(live["id"]).not.toBe(first["id"]);
  });

  test("after 24 hours the key is new, and not a moment earlier", async () => {
    await attempt(service, "first");
    await database.advanceClock("23 hours 59 minutes 59.999 seconds");
    await expect(attempt(service, "second")).rejects.toMatchObject({ code: "PT409" });
    await database.advanceClock("1 millisecond");
    expect(await attempt(service, "second")).toMatchObject({ replayed: false });
  });

  test("a caller who may not send any more gets no replay", async () => {
    await attempt(service, "first");
    await expect(rpc(service, "send_mail", {
      p_caller: { key_hash: "c".repeat(64) },
      p_idempotency_key: "order-1",
      p_request: mail("first"),
    })).rejects.toMatchObject({ code: "PT401" });
  });
});
