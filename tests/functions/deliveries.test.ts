import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliveries from "../../functions/deliveries/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { type StandIn, startStandIn } from "../support/stand-in.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { dispatch, sendTest, subscribe } from "../support/webhooks.ts";

let api: Api;
let tenant: Tenant;
let tenants = 0;
let receiver: StandIn;
let status: number;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  receiver = await startStandIn((_, response) => void response.writeHead(status).end("an answer"));
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
  status = 204;
});

const sql = () => api.database.sql("postgres");
const list = (query = "", token = tenant.test) => ask(deliveries, `deliveries${query}`, { token });
const show = (id: string, token = tenant.test) => ask(deliveries, `deliveries/${id}`, { token });
const ids = async (query: string) => rows(await list(query)).map(({ id }) => id);
const mail = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };

describe("a delivery", () => {
  test("is listed with each try: when, how long, status, class of the failure, and the answer's beginning", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id, event_id } = await sendTest(tenant.test, id);
    const made = {
      ...{ id: delivery_id, event_id, event_type: "webhook.test", endpoint_id: id, environment: "test" },
      ...{ state: "pending", failure: null, attempt_count: 0, attempts: [], finished_at: null },
      ...{ next_attempt_at: "2026-05-01T10:00:00.000Z", created_at: "2026-05-01T10:00:00.000Z" },
    };
    expect(rows(await list())).toEqual([made]);
    status = 503;
    await dispatch(api);
    const failed = rows(await list())[0];
    expect(failed).toMatchObject({
      state: "pending",
      failure: "http_error",
      attempt_count: 1,
      finished_at: null,
    });
    expect(Date.parse(String(failed?.["next_attempt_at"]))).toBeGreaterThanOrEqual(
      Date.parse("2026-05-01T10:00:30Z"),
    );

    status = 204;
    await api.database.advanceClock("1 minute");
    await dispatch(api);
    const duration_ms = expect.any(Number) as number;
    const tries = [
      // Loopback is an address the operator opened: nothing of its answers is kept.
      {
        started_at: "2026-05-01T10:00:00.000Z",
        status_code: 503,
        outcome: "http_error",
        failure: "http_error",
      },
      { started_at: "2026-05-01T10:01:00.000Z", status_code: 204, outcome: "succeeded", failure: null },
    ].map((each) => ({ ...each, duration_ms, detail: null }));
    const done = {
      ...{ ...made, state: "succeeded", attempt_count: 2, attempts: tries, next_attempt_at: null },
      finished_at: "2026-05-01T10:01:00.000Z",
    };
    expect(rows(await list())).toEqual([done]);
    // What a receiver elsewhere said.
    await sql()`update mailpipe.attempts set detail = 'Try <later>' where status_code = 503`;
    const [first] = rows(await list())[0]?.["attempts"] as { detail: string }[];
    expect(first?.detail).toBe("Try <later>");
  });

  test.each([
    ["connect_refused", async () => (await closedPort()), null],
    ["redirect", () => receiver.url, 302],
    ["http_error", () => receiver.url, 404],
    ["too_slow", null, null],
  ] as [string, (() => string | Promise<string>) | null, number | null][])(
    "has a failure of the class %s",
    async (failure, url, status_code) => {
      if (url === null) return expect(await shownFailure(failure)).toBe(failure);
      status = status_code ?? 204;
      const { id } = await subscribe(tenant.test, await url());
      const { delivery_id } = await sendTest(tenant.test, id);
      await dispatch(api);
      const { body } = await show(delivery_id);
      expect(body).toMatchObject({ failure, attempts: [{ outcome: failure, failure, status_code }] });
      expect(await ids(`?failure=${failure}`)).toEqual([delivery_id]);
    },
  );

  test("says of a try under way that it is unfinished, and of no next one", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    const worker = { project_secret: true } as never;
    await api.database.sql("service_role")`select mailpipe_api.exchange_deliveries(${worker}, '[]', 8, 8)`;
    expect((await show(delivery_id)).body).toMatchObject({
      ...{ state: "pending", attempt_count: 0, next_attempt_at: null },
      attempts: [{
        outcome: "unfinished",
        failure: null,
        status_code: null,
        duration_ms: null,
        detail: null,
      }],
    });
  });

  test("shows its newest twenty tries, the oldest of them first", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    await sql()`
      insert into mailpipe.attempts (organization_id, environment, job_id, fence, delivery_id, outcome, status_code, started_at, finished_at)
      select ${tenant.organization_id}, 'test', 'job_x', n, ${delivery_id}, 'http_error', 400 + n,
        mailpipe.clock() + make_interval(secs => n / 2), mailpipe.clock()
      from generate_series(1, 25) as n
    `;
    const shown = (await show(delivery_id)).body.attempts as { status_code: number }[];
    expect(shown.map(({ status_code }) => status_code)).toEqual(
      Array.from({ length: 20 }, (_, n) => 406 + n),
    );
  });

  test.each([false, true])("shows the bytes that are sent, thin or not: thin %j", async (thin) => {
    const { id } = await subscribe(tenant.test, receiver.url, { thin });
    const { delivery_id } = await sendTest(tenant.test, id);
    expect((await show(delivery_id)).body.body).toBeNull();
    await dispatch(api);
    expect((await show(delivery_id)).body.body).toBe(receiver.calls[0]?.body);
    expect(rows(await list())[0]).not.toHaveProperty("body");
  });

  test("is nobody else's, and gone with its endpoint", async () => {
    const other = await foundTenant(api, `other${tenants}`);
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    for (const token of [other.test, other.live, tenant.live]) {
      expect(rows(await list("", token))).toEqual([]);
      expect(refusal(await show(delivery_id, token))).toEqual([404, "not_found"]);
    }
    for (const wrong of ["dlv_00000000000000000000000000", "nothing", "%00", delivery_id.toLowerCase(), id]) {
      expect(refusal(await show(wrong)), wrong).toEqual([404, "not_found"]);
    }
    // Removed, though maintenance has not come to its deliveries yet.
    await sql()`
      update mailpipe.webhook_endpoints
      set removed_at = now(), enabled = false, disabled_reason = 'removed', disabled_at = now() where id = ${id}
    `;
    expect(rows(await list())).toEqual([]);
    expect(refusal(await show(delivery_id))).toEqual([404, "not_found"]);
    expect((await ask(webhooks, `webhooks/${id}`, { token: tenant.test })).status).toBe(404);
  });
});

/** A port nobody listens on any more. */
async function closedPort(): Promise<string> {
  const gone = await startStandIn(() => {});
  await gone.close();
  return gone.url;
}

/** What is shown of a class the worker found. */
async function shownFailure(failure: string): Promise<unknown> {
  const { id } = await subscribe(tenant.test, receiver.url);
  const { delivery_id } = await sendTest(tenant.test, id);
  await sql()`update mailpipe.deliveries set state = 'failed', failure = ${failure} where id = ${delivery_id}`;
  return (await show(delivery_id)).body.failure;
}

describe("the list", () => {
  /** Two endpoints, of which one fails: a test event each, then a mail to both, an hour apart. */
  async function seed() {
    const [good, bad] = [
      await subscribe(tenant.test, receiver.url),
      await subscribe(tenant.test, await closedPort()),
    ];
    const [one, two] = [await sendTest(tenant.test, good.id), await sendTest(tenant.test, bad.id)];
    await dispatch(api);
    await api.database.advanceClock("1 hour");
    await ask(sendMail, "send-mail", { token: tenant.test, body: mail });
    const [queued] = await sql()`
      select
        max(event_id) as event,
        max(id) filter (where endpoint_id = ${good.id}) as of_good,
        max(id) filter (where endpoint_id = ${bad.id}) as of_bad
      from mailpipe.deliveries where organization_id = ${tenant.organization_id} and created_at = mailpipe.clock()
    `;
    await sql()`
      update mailpipe.deliveries set state = 'failed', finished_at = mailpipe.clock() where id = ${two.delivery_id}
    `;
    const { event, of_good, of_bad } = queued as Record<string, string>;
    return { good: good.id, bad: bad.id, one, two, event, of_good, of_bad };
  }

  test("is filtered by state, endpoint, event, type, failure and time, all of them at once", async () => {
    const { good, bad, one, two, event, of_good, of_bad } = await seed();
    const cases: [string, (string | undefined)[]][] = [
      ["", [of_good, of_bad, one.delivery_id, two.delivery_id]],
      ["state=succeeded", [one.delivery_id]],
      ["state=failed", [two.delivery_id]],
      ["state=pending", [of_good, of_bad]],
      [`endpoint_id=${good}`, [of_good, one.delivery_id]],
      [`event_id=${event}`, [of_good, of_bad]],
      ["event_type=webhook.test", [one.delivery_id, two.delivery_id]],
      ["failure=connect_refused", [two.delivery_id]],
      ["since=2026-05-01T11:00:00Z", [of_good, of_bad]],
      ["until=2026-05-01T11:00:00Z", [one.delivery_id, two.delivery_id]],
      ["since=2026-05-01T13:00:00.000%2B02:00", [of_good, of_bad]],
      [`endpoint_id=${bad}&state=pending&event_type=email.queued&since=2026-05-01T10:30:00Z`, [of_bad]],
      [`endpoint_id=${bad}&state=succeeded`, []],
      ["event_type=email.bounced", []],
      ["failure=dns", []],
      ["since=2026-05-02T00:00:00Z&until=2026-05-01T00:00:00Z", []],
      ["endpoint_id=whk_00000000000000000000000000", []],
    ];
    for (const [query, wanted] of cases) {
      expect((await ids(`?${query}`)).sort(), query).toEqual(wanted.sort());
    }
  });

  test("goes through pages, newest first, each delivery once, though more come in between", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    for (let n = 0; n < 7; n++) {
      await sendTest(tenant.test, id);
      if (n % 2 === 0) await api.database.advanceClock("1 second");
    }
    const all = await ids("");
    const walked: unknown[] = [];
    let query = "?limit=3";
    for (;;) {
      const page = await list(query);
      walked.push(...rows(page).map((row) => row.id));
      await sendTest(tenant.test, id);
      if (!page.body.has_more) break;
      query = `?limit=3&cursor=${String(page.body.next)}`;
    }
    expect(walked).toEqual(all);
    expect(all).toHaveLength(7);
  });

  test.each([
    ["state=lost", "state"],
    ["state=", "state"],
    ["state=FAILED", "state"],
    ["endpoint_id=nothing", "endpoint_id"],
    ["endpoint_id=evt_00000000000000000000000000", "endpoint_id"],
    ["endpoint_id=whk_0000000000000000000000000%00", "endpoint_id"],
    ["event_id=1", "event_id"],
    ["event_type=", "event_type"],
    [`event_type=${"a".repeat(65)}`, "event_type"],
    ["failure=a%27b", "failure"],
    ["failure=HTTP", "failure"],
    ["since=yesterday", "since"],
    ["since=2026-05-01", "since"],
    ["since=2026-05-01T10:00:00", "since"],
    ["since=2026-02-30T10:00:00Z", "since"],
    ["since=1777629600", "since"],
    ["since=infinity", "since"],
    ["since=", "since"],
    ["until=2026-05-01T24:00:00Z", "until"],
    ["until=0000-01-01T00:00:00Z", "until"],
    ["limit=0", "limit"],
    ["limit=101", "limit"],
    ["limit=ten", "limit"],
    ["status=failed", "status"],
  ])("is refused with ?%s, and the field is named", async (query, path) => {
    expect(refusal(await list(`?${query}`))).toEqual([422, "invalid_request", path]);
  });

  test("is refused with a cursor no list gave out", async () => {
    for (const cursor of ["nothing", "e30=", "%00", "'"]) {
      const refused = refusal(await list(`?cursor=${cursor}`));
      expect([[400, "invalid_cursor"], [422, "invalid_request", "cursor"]], cursor).toContainEqual(refused);
    }
  });

  test("shows what was not delivered for 30 days, whatever an organization keeps no longer", async () => {
    await sql()`
      update mailpipe.organizations set events_retention_days = 30 where id = ${tenant.organization_id}
    `;
    const { two } = await seed();
    const maintain = () =>
      ask(runMaintenance, "run-maintenance", { headers: { apikey: api.secretKey }, body: {} });
    // Given up a day after it happened: it is the later of the two that counts.
    await sql()`
      update mailpipe.deliveries set finished_at = '2026-05-02T10:00:00Z' where id = ${two.delivery_id}
    `;
    await api.database.setClock("2026-06-01T09:59:59.999Z");
    await maintain();
    expect(await ids("?state=failed")).toEqual([two.delivery_id]);
    await api.database.advanceClock("1 millisecond");
    await maintain();
    expect(await ids("?state=failed")).toEqual([]);
    await expect(
      sql()`update mailpipe.organizations set events_retention_days = 29 where id = ${tenant.organization_id}`,
    ).rejects.toThrow("organizations_events_kept_30_days");
  });
});
