import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import webhookStats from "../../functions/webhook-stats/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { changeEndpoint, sendTest, subscribe } from "../support/webhooks.ts";

let api: Api;
let tenant: Tenant;
let tenants = 0;
const url = "https://8.8.8.8/hook";

beforeAll(async () => {
  keepLog();
  api = await startApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  await api.database.setClock("2026-05-10T12:00:00.000Z");
  tenant = await foundTenant(api, `acme${tenants++}`);
});

const sql = () => api.database.sql("postgres");
const stats = (query = "", token = tenant.test) => ask(webhookStats, `webhook-stats${query}`, { token });
const none = { attempts: 0, succeeded: 0, success_rate: null, p50_ms: null, p95_ms: null };

/** Deliveries of an endpoint with one try each; the n-th of `count` took n times 10 ms. */
async function tried(endpoint: string, count: number, outcome: string | null, at = "2026-05-10T11:00:00Z") {
  const [made] = await sql()`select mailpipe.new_id('made') as id`;
  const name = String(made?.["id"]);
  await sql()`
    insert into mailpipe.events (id, organization_id, environment, type, data)
    select concat('evt_', ${name}::text, n), ${tenant.organization_id}, 'test', 'email.queued', '{}'
    from generate_series(1, ${count}::int) as n
  `;
  await sql()`analyze mailpipe.events`;
  await sql()`
    with delivered as (
      insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id, created_at)
      select ${tenant.organization_id}, 'test', concat('evt_', ${name}::text, n), ${endpoint}, ${at}::timestamptz
      from generate_series(1, ${count}::int) as n
      returning id
    )
    insert into mailpipe.attempts (
      organization_id, environment, job_id, fence, delivery_id, outcome, duration_ms, finished_at
    )
    select ${tenant.organization_id}, 'test', concat('job_', id), 1, id, ${outcome}::text,
      case when ${outcome}::text is not null then 10 * row_number() over () end,
      case when ${outcome}::text is not null then mailpipe.clock() end
    from delivered
  `;
  // As autovacuum does within a minute. Without it Postgres looks through all tries for each delivery.
  await sql()`analyze mailpipe.deliveries`;
  await sql()`analyze mailpipe.attempts`;
}

describe("webhook-stats", () => {
  test("are an endpoint's success rate and times over its tries since a day ago, and what waits", async () => {
    const { id } = await subscribe(tenant.test, url);
    const idle = await subscribe(tenant.test, url);
    await tried(id, 20, "succeeded");
    await tried(id, 5, "http_error");
    // Not counted: nobody was called, it is under way, or it was before.
    await tried(id, 3, "disabled");
    await tried(id, 3, null);
    await tried(id, 3, "timeout", "2026-05-09T11:59:59.999Z");
    await sendTest(tenant.test, id);
    await api.database.advanceClock("1 second");
    await sendTest(tenant.test, id);
    await sql()`update mailpipe.webhook_endpoints set failing_since = mailpipe.clock() where id = ${id}`;
    const { body } = await stats("?since=2026-05-09T12:00:00Z");
    const shown = { url, enabled: true };
    expect(body).toEqual({
      since: "2026-05-09T12:00:00.000Z",
      data: [
        {
          ...{ endpoint_id: idle.id, ...shown, failing_since: null },
          ...none,
          backlog: 0,
          oldest_waiting_at: null,
        },
        {
          ...{ endpoint_id: id, ...shown, failing_since: "2026-05-10T12:00:01.000Z" },
          // 25 tries: 10 to 50 ms twice, 60 to 200 ms once.
          ...{ attempts: 25, succeeded: 20, success_rate: 0.8, p50_ms: 80, p95_ms: 190 },
          ...{ backlog: 2, oldest_waiting_at: "2026-05-10T12:00:00.000Z" },
        },
      ].sort((a, b) => a.endpoint_id < b.endpoint_id ? 1 : -1),
    });
    await api.database.setClock("2026-05-10T12:00:00.000Z");
    expect(rows(await stats()).find(({ endpoint_id }) => endpoint_id === id)).toMatchObject({ attempts: 25 });
    expect((await stats()).body.since).toBe("2026-05-09T12:00:00.000Z");
    expect(rows(await stats(`?since=2026-05-09T11:00:00Z&endpoint_id=${id}`))).toMatchObject([{
      attempts: 28,
    }]);
    expect(rows(await stats("?since=2026-05-10T11:00:00.001Z")).map(({ attempts }) => attempts)).toEqual([
      0,
      0,
    ]);
  });

  test("are of the caller's own endpoints that are still there, disabled ones among them", async () => {
    const other = await foundTenant(api, `other${tenants}`);
    const [kept, removed] = [await subscribe(tenant.test, url), await subscribe(tenant.test, url)];
    await subscribe(other.test, url);
    await subscribe(tenant.live, url);
    await changeEndpoint(tenant.test, kept.id, { enabled: false });
    await sql()`
      update mailpipe.webhook_endpoints
      set removed_at = now(), enabled = false, disabled_reason = 'removed', disabled_at = now() where id = ${removed.id}
    `;
    expect(rows(await stats())).toMatchObject([{ endpoint_id: kept.id, enabled: false }]);
    for (const id of [removed.id, "whk_00000000000000000000000000"]) {
      expect(rows(await stats(`?endpoint_id=${id}`))).toEqual([]);
    }
    expect(rows(await stats(`?endpoint_id=${kept.id}`, other.test))).toEqual([]);
  });

  test("are of an endpoint's newest 1,000 deliveries", async () => {
    const { id } = await subscribe(tenant.test, url);
    await tried(id, 1, "http_error", "2026-05-10T10:00:00Z");
    await tried(id, 999, "succeeded");
    expect(rows(await stats())).toMatchObject([{ attempts: 1_000, success_rate: 0.999 }]);
    await tried(id, 1, "succeeded");
    expect(rows(await stats())).toMatchObject([{ attempts: 1_000, succeeded: 1_000, success_rate: 1 }]);
  });

  test("count every try of a delivery, as tries it is that succeed", async () => {
    const { id } = await subscribe(tenant.test, url);
    await tried(id, 1, "http_error");
    await sql()`
      insert into mailpipe.attempts (
        organization_id, environment, job_id, fence, delivery_id, outcome, duration_ms, finished_at
      )
      select organization_id, environment, job_id, 2, delivery_id, 'succeeded', 30, mailpipe.clock() from mailpipe.attempts
      where organization_id = ${tenant.organization_id}
    `;
    expect(rows(await stats())).toMatchObject([{
      attempts: 2,
      succeeded: 1,
      success_rate: 0.5,
      p50_ms: 10,
      p95_ms: 30,
    }]);
  });

  test.each([
    ["endpoint_id=nothing", "endpoint_id"],
    ["endpoint_id=dlv_00000000000000000000000000", "endpoint_id"],
    ["endpoint_id=", "endpoint_id"],
    ["since=today", "since"],
    ["since=2026-05-10", "since"],
    ["since=", "since"],
    ["limit=10", "limit"],
    ["until=2026-05-10T00:00:00Z", "until"],
  ])("are refused with ?%s, and the field is named", async (query, path) => {
    expect(refusal(await stats(`?${query}`))).toEqual([422, "invalid_request", path]);
  });
});
