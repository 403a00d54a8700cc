import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deleteData from "../../functions/delete-data/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { call } from "../../shared/database.ts";
import { deliverInRounds } from "../../shared/delivery-rounds.ts";
import { ApiError } from "../../shared/errors.ts";
import { ask, refusal } from "../support/ask.ts";
import { runAllDataJobs } from "../support/data-jobs.ts";
import { keepLog } from "../support/log.ts";
import { exchange, found, startTrial, status, type Trial, worker } from "../support/webhook-trial.ts";

let trial: Trial;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  trial = await startTrial();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await trial.close();
});
beforeEach(() => trial.clear());

const sql = () => trial.api.database.sql("postgres");
const maintain = () =>
  ask(runMaintenance, "run-maintenance", { headers: { apikey: trial.api.secretKey }, body: {} });

describe("one endpoint's trouble", () => {
  test("of a secret that does not open is a failed try of its own, and nobody else's", async () => {
    const [broken] = [await trial.subscribe("/broken"), await trial.subscribe("/whole")];
    await sql()`
      update mailpipe.webhook_endpoints as endpoint set secret = other.secret
      from mailpipe.webhook_endpoints as other where endpoint.id = ${broken} and other.id <> endpoint.id
    `;
    await trial.emit();
    expect(await trial.work()).toBe(2);
    expect(trial.sink.to("/whole")).toHaveLength(1);
    expect(trial.sink.to("/broken")).toEqual([]);
    const known = (await trial.known()).find(({ path }) => path === "/broken");
    expect(known).toMatchObject({ state: "pending", attempts: 1, failure: "secret_unreadable" });
  });

  test("of 40 that may be asked once a second keeps no turn from one that may be asked", async () => {
    for (let count = 0; count < 40; count++) await trial.subscribe(`/slow${count}`, { max_per_second: 1 });
    await trial.emit(5);
    const taken = await exchange([], 100);
    expect(taken).toHaveLength(40);
    await exchange(taken.map((work) => found(work)), 0);
    await trial.subscribe("/quick");
    await trial.emit();
    expect((await exchange([], 8)).map(({ url }) => new URL(url).pathname)).toEqual(["/quick"]);
  });
});

test("what waits for a disabled endpoint is ended, however few tries a second it was allowed", async () => {
  const id = await trial.subscribe("/limited", { max_per_second: 5 });
  await trial.subscribe("/healthy");
  await trial.emit(20);
  const path = `webhooks/${id}`;
  const disabled = { token: trial.tenant.test, method: "PATCH", body: { enabled: false } };
  expect((await ask(webhooks, path, disabled)).status).toBe(200);
  await trial.work();
  expect(trial.sink.to("/limited")).toEqual([]);
  expect(trial.sink.to("/healthy")).toHaveLength(20);
  const ended = (await trial.known()).filter((each) => each.path === "/limited");
  expect(new Set(ended.map(({ state, failure }) => `${state} ${failure}`))).toEqual(
    new Set(["failed disabled"]),
  );
});

test("a lone failure delays what waits behind it by a second, and not until the next wake-up", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  await trial.subscribe("/hook", { max_concurrent: 1 });
  let answered = 0;
  trial.sink.answers.set(
    "/hook",
    (_, response) => void response.writeHead(answered++ === 1 ? 500 : 200).end(),
  );
  await trial.emit(4);
  const working = trial.work();
  await vi.waitFor(async () =>
    expect(
      await trial.api.database.sql("postgres")`
    select from mailpipe.webhook_endpoints where resume_at is not null`,
    ).toHaveLength(1), { interval: 10 });
  await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));
  await trial.api.database.advanceClock("1 second");
  vi.runAllTimers();
  vi.useRealTimers();
  await working;
  expect(trial.sink.to("/hook")).toHaveLength(4);
});

test("bytes that could not be stored at first are stored at second", async () => {
  await trial.subscribe("/hook");
  await trial.emit(3);
  let stored = 0;
  const failing =
    ((name: string, args: never) =>
      name === "store_event_bodies" && ++stored === 1
        ? Promise.reject(new ApiError("database_unavailable"))
        : call(name as never, args)) as typeof call;
  expect((await deliverInRounds(worker, failing)).done).toBe(3);
});

describe("first tries and retries of one endpoint", () => {
  test("take turns by how long they wait where there is one try for both", async () => {
    await trial.subscribe("/one", { max_concurrent: 1 });
    await trial.emit();
    const [first] = await exchange();
    await exchange([found(first, { outcome: "http_error", status_code: 404, retry_in_seconds: 5 })], 0);
    await trial.api.database.advanceClock("4 seconds");
    await trial.emit(3);
    const lanes: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const [next] = await exchange();
      lanes.push(next?.lane ?? "none");
      await trial.api.database.advanceClock("2 seconds");
      await exchange([found(next)], 0);
      await trial.emit();
    }
    // Those that waited when it came due go before it, those that came later behind it.
    expect(lanes).toEqual(["first", "first", "first", "retry"]);
  });

  test("share a second's tries, one at least for each", async () => {
    await trial.subscribe("/five", { max_per_second: 5, max_concurrent: 50 });
    await trial.emit();
    const [first] = await exchange();
    await exchange([found(first, { outcome: "http_error", status_code: 404, retry_in_seconds: 5 })], 0);
    await sql()`update mailpipe.webhook_endpoints set slots = 50`;
    await trial.emit(100);
    await trial.api.database.advanceClock("6 seconds");
    const lanes = (await exchange([], 50)).map(({ lane }) => lane).sort();
    expect(lanes).toEqual(["first", "first", "first", "first", "retry"]);
  });
});

describe("what is removed while a worker takes it", () => {
  test("is left alone until that is decided, and holds up nothing else", async () => {
    await trial.subscribe("/hook", { max_concurrent: 50 });
    await sql()`update mailpipe.webhook_endpoints set slots = 50`;
    await trial.emit(3);
    const [doomed] = await sql()`select id from mailpipe.events order by position limit 1`;
    let taken = 0;
    await expect(
      sql().begin(async (removing) => {
        await removing`delete from mailpipe.events where id = ${String(doomed?.["id"])}`;
        taken = (await exchange()).length;
        throw new Error("undone");
      }),
    ).rejects.toThrow("undone");
    expect(taken).toBe(2);
    // It was not removed after all: it is claimed again when the lease is over.
    await trial.api.database.advanceClock("61 seconds");
    expect(await exchange()).toHaveLength(3);
  });

  test("takes its job along", async () => {
    await trial.subscribe("/hook");
    await trial.emit();
    await sql()`delete from mailpipe.events`;
    expect(await exchange()).toEqual([]);
    expect(await sql()`select from mailpipe.jobs where kind = 'dispatch_delivery'`).toHaveLength(0);
  });
});

test("results that could not be handed in are handed in after all, so that nothing is sent again", async () => {
  await trial.subscribe("/hook");
  await trial.emit(3);
  let exchanges = 0;
  const failing = ((name: string, args: never) => {
    if (name === "exchange_deliveries" && ++exchanges === 2) {
      return Promise.reject(new ApiError("database_unavailable"));
    }
    return call(name as never, args);
  }) as typeof call;
  await expect(deliverInRounds(worker, failing)).rejects.toThrow();
  expect((await trial.known()).map(({ state }) => state)).toEqual(["succeeded", "succeeded", "succeeded"]);
  await trial.api.database.advanceClock("2 minutes");
  await trial.work();
  expect(trial.sink.to("/hook")).toHaveLength(3);
});

test("a delivery that waits and is replayed has the whole schedule before it", async () => {
  await trial.subscribe("/hook");
  trial.sink.answers.set("/hook", status(404));
  await trial.emit();
  const [delivery] = await sql()`select id from mailpipe.deliveries`;
  const { default: replay } = await import("../../functions/replay-deliveries/index.ts");
  for (let count = 0; count < 12; count++) {
    await trial.work();
    const body = { delivery_id: String(delivery?.["id"]) };
    expect((await ask(replay, "replay-deliveries", { token: trial.tenant.test, body })).status).toBe(202);
  }
  expect(await trial.known()).toMatchObject([{ state: "pending", attempts: 12 }]);
  const [job] = await sql()`select attempts from mailpipe.jobs where kind = 'dispatch_delivery'`;
  expect(job?.["attempts"]).toBe(0);
});

test("a hundred endpoints are as many as twenty callers at once can make", async () => {
  for (let count = 0; count < 97; count++) await trial.subscribe(`/hook${count}`);
  const made = await Promise.all(
    Array.from({ length: 20 }, () =>
      ask(webhooks, "webhooks", {
        token: trial.tenant.test,
        body: { url: `${trial.sink.url}/more`, events: ["*"] },
      })),
  );
  const statuses = made.map((answer) => answer.status);
  expect(statuses.filter((each) => each === 201)).toHaveLength(3);
  expect(new Set(made.filter((each) => each.status !== 201).map(({ body }) => body.code))).toEqual(
    new Set(["too_many_webhooks"]),
  );
});

test("an undelivered event keeps its message, until it can no longer be replayed", async () => {
  await trial.subscribe("/hook");
  trial.sink.answers.set("/hook", status(404));
  const { default: sendMail } = await import("../../functions/send-mail/index.ts");
  const mail = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
  expect((await ask(sendMail, "send-mail", { token: trial.tenant.test, body: mail })).status).toBe(202);
  await sql()`delete from mailpipe.jobs where kind = 'deliver_message'`;
  await sql()`update mailpipe.organizations set messages_retention_days = 1`;
  const messages = () => sql()`select from mailpipe.messages`;
  await trial.work();
  await trial.api.database.advanceClock("2 days");
  await maintain();
  expect(await trial.known()).toMatchObject([{ state: "pending", attempts: 1 }]);

  await sql()`delete from mailpipe.jobs`;
  await sql()`update mailpipe.deliveries set state = 'failed', finished_at = mailpipe.clock()`;
  await trial.api.database.advanceClock("30 days - 1 second");
  await maintain();
  expect(await trial.known()).toMatchObject([{ state: "failed" }]);
  expect(await messages()).toHaveLength(1);
  await trial.api.database.advanceClock("1 second");
  await maintain();
  expect(await trial.known()).toEqual([]);
  expect(await messages()).toHaveLength(0);
  await sql()`update mailpipe.organizations set messages_retention_days = null`;
});

test("a delivery that is being tried is not replayed at the same time", async () => {
  await trial.subscribe("/hook");
  await trial.emit();
  const [work] = await exchange();
  const { default: replay } = await import("../../functions/replay-deliveries/index.ts");
  const body = { delivery_id: work?.delivery_id };
  const asked = await ask(replay, "replay-deliveries", { token: trial.tenant.test, body });
  expect(refusal(asked)).toEqual([409, "delivery_under_way"]);
  await exchange([found(work, { outcome: "http_error", status_code: 404 })], 0);
  expect((await ask(replay, "replay-deliveries", { token: trial.tenant.test, body })).status).toBe(202);
});

test("an endpoint a person's address was taken out of is disabled, told of, and keeps no headers", async () => {
  const body = { headers: { "x-owner": "ada@person.example" } };
  const id = await trial.subscribe("/hook?u=ada@person.example", body, trial.tenant.live);
  await trial.subscribe("/others", {}, trial.tenant.live);
  const token = trial.tenant.owner.access_token;
  const what = { what: "person", id: "ada@person.example" };
  const { confirm } = (await ask(deleteData, "delete-data", { token, body: what })).body;
  expect((await ask(deleteData, "delete-data", { token, body: { ...what, confirm } })).status).toBe(202);
  await runAllDataJobs(trial.api);
  const shown = await ask(webhooks, `webhooks/${id}`, { token: trial.tenant.live });
  expect(shown.body).toMatchObject({ enabled: false, disabled_reason: "redacted", header_names: [] });
  await trial.work();
  const told = trial.sink.to("/others").map((each) => JSON.parse(each.body) as Record<string, unknown>);
  expect(told).toMatchObject([{ type: "webhook.disabled", data: { endpoint_id: id, reason: "redacted" } }]);
  const patch = (changes: object) =>
    ask(webhooks, `webhooks/${id}`, { token: trial.tenant.live, method: "PATCH", body: changes });
  expect(refusal(await patch({ enabled: true }))).toEqual([409, "webhook_redacted"]);
  expect((await patch({ enabled: true, url: `${trial.sink.url}/new` })).body).toMatchObject({
    enabled: true,
  });
  const audited =
    await sql()`select from mailpipe.audit where subject_id = ${id} and action = 'webhook.disabled'`;
  expect(audited).toHaveLength(1);
});
