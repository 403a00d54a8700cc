import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliveries from "../../functions/deliveries/index.ts";
import replayDeliveries from "../../functions/replay-deliveries/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { type StandIn, type StandInCall, startStandIn } from "../support/stand-in.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { changeEndpoint, dispatch, sendTest, subscribe } from "../support/webhooks.ts";

let api: Api;
let tenant: Tenant;
let tenants = 0;
let receiver: StandIn;
let status: number;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  receiver = await startStandIn((_, response) => void response.writeHead(status).end());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
  await api.close();
});
beforeEach(async () => {
  await api.database.setClock("2026-05-01T10:00:00.000Z");
  await sql()`delete from mailpipe.jobs`;
  tenant = await foundTenant(api, `acme${tenants++}`);
  receiver.calls.length = 0;
  status = 400;
});

const sql = () => api.database.sql("postgres");
const mail = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
const send = () => ask(sendMail, "send-mail", { token: tenant.test, body: mail });
const change = (id: string, body: object) => changeEndpoint(tenant.test, id, body);
const remove = (id: string) => ask(webhooks, `webhooks/${id}`, { token: tenant.test, method: "DELETE" });
const rotate = async (id: string, overlap_seconds: number) => {
  const body = { overlap_seconds };
  return String(
    (await ask(webhooks, `webhooks/${id}/rotate-secret`, { token: tenant.test, body })).body.secret,
  );
};
const show = (id: string) => ask(deliveries, `deliveries/${id}`, { token: tenant.test });
const replay = (body: object) => ask(replayDeliveries, "replay-deliveries", { token: tenant.test, body });
const last = () => receiver.calls.at(-1) as StandInCall;

/** A delivery whose first try was refused with 400, and which waits five seconds, or six, for the next. */
async function waitingAt(path: string, changes: object = {}) {
  const endpoint = await subscribe(tenant.test, receiver.url + path, changes);
  const tested = await sendTest(tenant.test, endpoint.id);
  expect(await dispatch(api)).toBe(1);
  expect((await show(tested.delivery_id)).body).toMatchObject({ state: "pending", failure: "http_error" });
  return { ...endpoint, ...tested };
}

/** The next try, a receiver that takes it. */
async function retried(): Promise<void> {
  status = 204;
  await api.database.advanceClock("6 seconds");
  await dispatch(api);
}

describe("while a try waits", () => {
  test("a new URL, new headers and a new secret are those of the next try", async () => {
    const { id } = await waitingAt("/old", { headers: { authorization: "Bearer-of-the-old" } });
    await change(id, { url: `${receiver.url}/new`, headers: { "x-key": "value-of-the-new" } });
    const secret = await rotate(id, 0);
    await retried();
    expect(last()).toMatchObject({ path: "/new", headers: { "x-key": "value-of-the-new" } });
    expect(last().headers).not.toHaveProperty("authorization");
    expect(standard(last(), secret)).toBe(true);
    expect(receiver.calls[0]?.headers["webhook-id"]).toBe(last().headers["webhook-id"]);
  });

  test("other events subscribed to change nothing for it", async () => {
    const { id, delivery_id } = await waitingAt("/hook", { events: ["email.queued"] });
    await change(id, { events: ["email.bounced"] });
    await retried();
    expect((await show(delivery_id)).body).toMatchObject({ state: "succeeded" });
    await send();
    expect(await dispatch(api)).toBe(0);
  });

  test.each([[true, false], [false, true]])(
    "thin is as it was when the event happened: %j, then %j",
    async (before, after) => {
      const { id, event_id, delivery_id } = await waitingAt("/hook", { thin: before });
      await change(id, { thin: after });
      await retried();
      const [first, second] = receiver.calls;
      expect(second?.body).toBe(first?.body);
      expect(second?.body.includes(`/events/${event_id}`)).toBe(before);
      expect((await show(delivery_id)).body.body).toBe(first?.body);
      const next = await sendTest(tenant.test, id);
      await dispatch(api);
      expect(last().body.includes(`/events/${next.event_id}`)).toBe(after);
    },
  );

  test("disabling ends it as failed at its time, and nobody is called; enabled again it can be replayed", async () => {
    const { id, delivery_id, event_id } = await waitingAt("/hook");
    await change(id, { enabled: false });
    await retried();
    expect(receiver.calls).toHaveLength(1);
    const ended = (await show(delivery_id)).body;
    expect(ended).toMatchObject({
      state: "failed",
      failure: "disabled",
      attempt_count: 2,
      next_attempt_at: null,
    });
    expect((ended.attempts as object[]).at(-1)).toMatchObject({ outcome: "disabled", status_code: null });
    expect(refusal(await replay({ delivery_id }))).toEqual([409, "webhook_disabled"]);

    await change(id, { enabled: true });
    await dispatch(api);
    expect(receiver.calls).toHaveLength(1);
    expect((await replay({ delivery_id })).status).toBe(202);
    await dispatch(api);
    expect(last().headers["webhook-id"]).toBe(event_id);
    expect((await show(delivery_id)).body).toMatchObject({
      state: "succeeded",
      failure: null,
      attempt_count: 3,
    });
  });

  test("disabled and enabled before its time it is tried as if nothing had been", async () => {
    const { id, delivery_id } = await waitingAt("/hook");
    await change(id, { enabled: false });
    await change(id, { enabled: true });
    await retried();
    expect((await show(delivery_id)).body).toMatchObject({ state: "succeeded", attempt_count: 2 });
  });

  test("an endpoint that is disabled gets no event", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    await change(id, { enabled: false });
    await send();
    await change(id, { enabled: true });
    expect(await dispatch(api)).toBe(0);
    expect(rows(await ask(deliveries, "deliveries", { token: tenant.test }))).toEqual([]);
  });

  test("removing ends it: nothing is sent, and the delivery is gone", async () => {
    const { id, delivery_id } = await waitingAt("/hook");
    expect((await remove(id)).body).toEqual({ id, removed: true });
    await retried();
    expect(receiver.calls).toHaveLength(1);
    expect(refusal(await show(delivery_id))).toEqual([404, "not_found"]);
    expect(refusal(await replay({ delivery_id }))).toEqual([404, "not_found"]);
    expect(await left(id)).toEqual({ endpoints: 0, deliveries: 0, jobs: 0, attempts: 0 });
  });
});

/** What is stored of an endpoint. */
async function left(id: string): Promise<unknown> {
  const [row] = await sql()`
    select
      (select count(*)::int from mailpipe.webhook_endpoints where id = ${id}) as endpoints,
      (select count(*)::int from mailpipe.deliveries where endpoint_id = ${id}) as deliveries,
      (select count(*)::int from mailpipe.jobs where group_id = ${id}) as jobs,
      (select count(*)::int from mailpipe.attempts where organization_id = ${tenant.organization_id}) as attempts
  `;
  return row;
}

function standard({ body, headers }: StandInCall, secret: string): boolean {
  try {
    return Boolean(new Webhook(secret).verify(body, headers));
  } catch {
    return false;
  }
}

function hex({ body, headers }: StandInCall, secret: string): boolean {
  return headers["x-mailpipe-signature"] === createHmac("sha256", secret).update(body).digest("hex");
}

/** Which secrets verify what was sent last, in each of the two schemes. */
const verified = (secrets: string[]) => ({
  standard: secrets.map((secret) => standard(last(), secret)),
  hex: secrets.map((secret) => hex(last(), secret)),
});

describe("a rotation during retries", () => {
  const sendAgain = async (delivery_id: string) => {
    expect((await replay({ delivery_id })).status).toBe(202);
    expect(await dispatch(api)).toBe(1);
  };

  test("old and new verify within the overlap; only new after. The hex header is the old one's until then", async () => {
    const { id, secret: old, delivery_id } = await waitingAt("/hook");
    expect(verified([old])).toEqual({ standard: [true], hex: [true] });
    const fresh = await rotate(id, 3600);
    await retried();
    expect(verified([old, fresh])).toEqual({ standard: [true, true], hex: [true, false] });
    // A millisecond before the end, and at the end.
    await api.database.setClock("2026-05-01T10:59:59.999Z");
    await sendAgain(delivery_id);
    expect(verified([old, fresh])).toEqual({ standard: [true, true], hex: [true, false] });
    await api.database.setClock("2026-05-01T11:00:00.000Z");
    await sendAgain(delivery_id);
    expect(verified([old, fresh])).toEqual({ standard: [false, true], hex: [false, true] });
  });

  test("without an overlap only the new one verifies from then on", async () => {
    const { id, secret: old } = await waitingAt("/hook");
    const fresh = await rotate(id, 0);
    await retried();
    expect(verified([old, fresh])).toEqual({ standard: [false, true], hex: [false, true] });
    const [row] = await sql()`select previous_secret from mailpipe.webhook_endpoints where id = ${id}`;
    expect(row?.["previous_secret"]).toBeNull();
  });

  test("a second one within the overlap of the first is refused, unless it ends every secret before", async () => {
    const { id, secret: first, delivery_id } = await waitingAt("/hook");
    const second = await rotate(id, 3600);
    const again = await ask(webhooks, `webhooks/${id}/rotate-secret`, { token: tenant.test, body: {} });
    expect(refusal(again)).toEqual([409, "secret_rotating"]);
    await retried();
    expect(verified([first, second])).toEqual({ standard: [true, true], hex: [true, false] });
    const third = await rotate(id, 0);
    await sendAgain(delivery_id);
    expect(verified([first, second, third])).toEqual({
      standard: [false, false, true],
      hex: [false, false, true],
    });
  });
});

/** Runs a statement as the functions do, and leaves its transaction open until `meanwhile` is done. */
async function whileOpen(
  statement: string,
  values: unknown[],
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  await api.database.sql("service_role").begin(async (open) => {
    await open.unsafe(statement, values as string[]);
    await meanwhile();
  });
}

/** Asks, and comes back as soon as the answer waits for a lock. */
async function blocked(question: () => Promise<Answer>): Promise<Promise<Answer>[]> {
  const asked = question();
  const waiting = () =>
    sql()`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await waiting()).length).toBeGreaterThan(0);
  return [asked];
}

const worker = { project_secret: true };
const exchanging = "select mailpipe_api.exchange_deliveries($1::jsonb, $2::jsonb, 0, 0)";
const replaying = "select mailpipe_api.replay_deliveries($1::jsonb, $2::jsonb)";
const removing = "select mailpipe_api.delete_webhook($1::jsonb, $2)";

/** Takes what is due into a worker's hand; results with which it may come back. */
async function inHand(retry_in_seconds: number | null): Promise<object[]> {
  const [row] = await api.database.sql("service_role")`
    select mailpipe_api.exchange_deliveries(${worker as never}, '[]', 8, 8) -> 'deliveries' as deliveries
  `;
  const taken = row?.["deliveries"] as { job_id: string; fence: number; delivery_id: string }[];
  return taken.map(({ job_id, fence, delivery_id }) => ({
    ...{ job_id, fence, delivery_id, outcome: "http_error", status_code: 400, duration_ms: 1, detail: null },
    ...{ overloaded: false, retry_in_seconds, leave_alone_seconds: null, disable: null },
  }));
}

describe("at the very same moment", () => {
  const caller = async () => {
    const [key] = await sql()`
      select encode(hash, 'hex') as key_hash from mailpipe.api_keys
      where organization_id = ${tenant.organization_id} and environment = 'test'
    `;
    return key;
  };

  test("an endpoint is removed and a worker comes back: neither waits for the other", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    await sendTest(tenant.test, id);
    await sendTest(tenant.test, id);
    const results = await inHand(5);
    expect(results).toHaveLength(2);
    // It fails as it did before, so the worker has nothing to write of the endpoint itself.
    await sql()`update mailpipe.webhook_endpoints set failing_since = mailpipe.clock() where id = ${id}`;
    await whileOpen(exchanging, [worker, results.slice(0, 1)], async () => {
      expect((await remove(id)).body).toEqual({ id, removed: true });
    });
    // What the worker wrote came after; it is cleared behind.
    expect(await left(id)).toMatchObject({ endpoints: 1, deliveries: 1, jobs: 1 });
    await api.database.advanceClock("1 minute");
    expect(await dispatch(api)).toBe(0);
    const maintained = await ask(runMaintenance, "run-maintenance", {
      headers: { apikey: api.secretKey },
      body: {},
    });
    expect(maintained.body).toMatchObject({ removed_deliveries: 1 });
    expect(await left(id)).toEqual({ endpoints: 0, deliveries: 0, jobs: 0, attempts: 0 });
  });

  test("an endpoint is removed and a mail is sent: the mail is taken, and told to the others", async () => {
    const [{ id }, other] = [
      await subscribe(tenant.test, receiver.url),
      await subscribe(tenant.test, receiver.url),
    ];
    let sent: Promise<Answer>[] = [];
    await whileOpen(removing, [await caller(), id], async () => {
      sent = await blocked(send);
    });
    expect((await Promise.all(sent)).map((answer) => answer.status)).toEqual([202]);
    const told = rows(await ask(deliveries, "deliveries", { token: tenant.test }));
    expect(told.map(({ endpoint_id }) => endpoint_id)).toEqual([other.id]);
  });

  test.each<[string, (ids: { id: string; delivery_id: string }) => () => Promise<Answer>]>([
    ["a delivery is replayed", ({ delivery_id }) => () => replay({ delivery_id })],
    [
      "all that failed is replayed",
      ({ id }) => () => replay({ endpoint_id: id, since: "2026-01-01T00:00:00Z" }),
    ],
    [
      "a test is sent",
      ({ id }) => () => ask(webhooks, `webhooks/${id}/test`, { token: tenant.test, method: "POST" }),
    ],
  ])("an endpoint is removed and %s: that is 404 and leaves nothing", async (_, asking) => {
    const waiting = await waitingAt("/hook");
    let asked: Promise<Answer>[] = [];
    await whileOpen(removing, [await caller(), waiting.id], async () => {
      asked = await blocked(asking(waiting));
    });
    expect((await Promise.all(asked)).map(refusal)).toEqual([[404, "not_found"]]);
    expect(await left(waiting.id)).toMatchObject({ endpoints: 0, deliveries: 0, jobs: 0 });
    expect(await sql()`select from mailpipe.jobs where kind = 'replay_deliveries'`).toHaveLength(0);
  });

  test("a delivery is replayed and its endpoint removed: that waits, and then nothing is left", async () => {
    const { id, delivery_id } = await waitingAt("/hook");
    await sql()`delete from mailpipe.jobs where subject_id = ${delivery_id}`;
    await sql()`
      update mailpipe.deliveries set state = 'failed', finished_at = mailpipe.clock() where id = ${delivery_id}
    `;
    let removed: Promise<Answer>[] = [];
    await whileOpen(replaying, [await caller(), { delivery_id }], async () => {
      removed = await blocked(() => remove(id));
    });
    expect((await Promise.all(removed)).map(({ body }) => body)).toEqual([{ id, removed: true }]);
    expect(await left(id)).toEqual({ endpoints: 0, deliveries: 0, jobs: 0, attempts: 0 });
  });

  test("a delivery is given up and replayed: it is queued anew", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    const results = await inHand(null);
    let replayed: Promise<Answer>[] = [];
    await whileOpen(exchanging, [worker, results], async () => {
      replayed = await blocked(() => replay({ delivery_id }));
    });
    expect((await Promise.all(replayed)).map((answer) => answer.status)).toEqual([202]);
    expect((await show(delivery_id)).body).toMatchObject({
      state: "pending",
      finished_at: null,
      attempt_count: 1,
    });
    expect(await left(id)).toMatchObject({ jobs: 1 });
  });

  test("a delivery goes with its event and is queued: the others are delivered all the same", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const [gone, stays] = [await sendTest(tenant.test, id), await sendTest(tenant.test, id)];
    await sql()`delete from mailpipe.events where id = ${gone.event_id}`;
    status = 204;
    expect(await dispatch(api)).toBe(1);
    expect((await show(stays.delivery_id)).body).toMatchObject({ state: "succeeded" });
    expect(await left(id)).toMatchObject({ jobs: 0 });
  });
});
