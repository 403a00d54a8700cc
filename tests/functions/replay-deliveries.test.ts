import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliveries from "../../functions/deliveries/index.ts";
import replayDeliveries from "../../functions/replay-deliveries/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { dataStep, runAllDataJobs } from "../support/data-jobs.ts";
import { keepLog } from "../support/log.ts";
import { type StandIn, startStandIn } from "../support/stand-in.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { changeEndpoint, dispatch, sendTest, subscribe } from "../support/webhooks.ts";

let api: Api;
let tenant: Tenant;
let tenants = 0;
let receiver: StandIn;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  receiver = await startStandIn((_, response) => void response.writeHead(204).end());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
  await api.close();
});
beforeEach(async () => {
  await api.database.setClock("2026-05-10T00:00:00.000Z");
  await sql()`delete from mailpipe.jobs`;
  tenant = await foundTenant(api, `acme${tenants++}`);
  receiver.calls.length = 0;
});

const sql = () => api.database.sql("postgres");
const replay = (body: object, token = tenant.test) =>
  ask(replayDeliveries, "replay-deliveries", { token, body });
const show = async (id: string) => (await ask(deliveries, `deliveries/${id}`, { token: tenant.test })).body;

/** The jobs of a kind, each with its subject and lane. */
const jobs = async (kind = "dispatch_delivery") => [
  ...await sql()<{ subject: string; lane: string }[]>`
    select subject_id as subject, lane from mailpipe.jobs where kind = ${kind} order by subject_id
  `,
];

/** Deliveries of an endpoint that were given up, one every ten seconds from 1 May on, of events two days older. */
async function givenUp(endpointId: string, count: number): Promise<string[]> {
  await sql()`
    insert into mailpipe.events (id, organization_id, environment, type, data, created_at)
    select concat('evt_', ${endpointId}::text, '_', n), ${tenant.organization_id}, 'test', 'email.queued', '{}',
      '2026-04-29'::timestamptz + n * interval '10 seconds'
    from generate_series(0, ${count}::int - 1) as n
  `;
  // Without statistics Postgres checks each delivery's event by going through all of them.
  await sql()`analyze mailpipe.events`;
  const made = await sql()<{ id: string }[]>`
    insert into mailpipe.deliveries (
      id, organization_id, environment, event_id, endpoint_id, state, attempts, failure, finished_at, created_at
    )
    select concat('dlv_', md5(id)), organization_id, environment, id, ${endpointId}, 'failed', 11, 'http_error',
      created_at + interval '2 days', created_at
    from mailpipe.events
    where starts_with(id, concat('evt_', ${endpointId}::text))
    order by created_at
    returning id
  `;
  return made.map(({ id }) => id);
}

describe("one delivery", () => {
  test("that was given up is sent again: the same event and bytes, a new try and a new time", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id, event_id } = await sendTest(tenant.test, id);
    await dispatch(api);
    await sql()`
      update mailpipe.deliveries set state = 'failed', failure = 'timeout', finished_at = mailpipe.clock()
      where id = ${delivery_id}
    `;
    const events = async () => (await sql()`select from mailpipe.events`).length;
    const before = await events();
    await api.database.advanceClock("1 hour");
    const answer = await replay({ delivery_id });
    expect(answer.status).toBe(202);
    expect(await jobs()).toEqual([{ subject: delivery_id, lane: "first" }]);
    expect(await show(delivery_id)).toMatchObject({ state: "pending", finished_at: null });
    expect(await dispatch(api)).toBe(1);
    const [first, second] = receiver.calls;
    expect([second?.body, second?.headers["webhook-id"]]).toEqual([first?.body, event_id]);
    expect(await events()).toBe(before);
    const shown = await show(delivery_id);
    expect(shown).toMatchObject({ state: "succeeded", failure: null, event_id, attempt_count: 2 });
    expect(shown.attempts).toMatchObject([
      { started_at: "2026-05-10T00:00:00.000Z" },
      { started_at: "2026-05-10T01:00:00.000Z" },
    ]);
    const [line] =
      await sql()`select subject_id, detail from mailpipe.audit where action = 'webhook.replayed' and subject_id = ${id}`;
    expect(line).toEqual({ subject_id: id, detail: { delivery_id, job_id: answer.body.job_id } });
  });

  test("that succeeded is sent again too, with a whole schedule of its own", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    await dispatch(api);
    expect(await show(delivery_id)).toMatchObject({ state: "succeeded" });
    expect((await replay({ delivery_id })).status).toBe(202);
    const [job] = await sql()`select attempts from mailpipe.jobs where subject_id = ${delivery_id}`;
    expect(job).toEqual({ attempts: 0 });
    await dispatch(api);
    expect(receiver.calls).toHaveLength(2);
  });

  test("that waits anyway is due now, and begins its schedule anew", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    await sql()`
      update mailpipe.jobs set due_at = mailpipe.clock() + interval '10 hours', attempts = 7, lane = 'retry'
      where subject_id = ${delivery_id}
    `;
    expect((await replay({ delivery_id })).status).toBe(202);
    const [job] = await sql()`
      select due_at = mailpipe.clock() as due, attempts, lane from mailpipe.jobs where subject_id = ${delivery_id}
    `;
    expect(job).toEqual({ due: true, attempts: 0, lane: "retry" });
  });

  test("that a worker has in hand is refused, until its lease is over", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const { delivery_id } = await sendTest(tenant.test, id);
    const worker = { project_secret: true } as never;
    await api.database.sql("service_role")`select mailpipe_api.exchange_deliveries(${worker}, '[]', 8, 8)`;
    const due = async () =>
      (await sql()`select due_at <= mailpipe.clock() as due from mailpipe.jobs where subject_id = ${delivery_id}`)[
        0
      ];
    expect(refusal(await replay({ delivery_id }))).toEqual([409, "delivery_under_way"]);
    expect(await due()).toEqual({ due: false });
    expect(await dispatch(api)).toBe(0);
    await api.database.advanceClock("1 minute");
    expect((await replay({ delivery_id })).status).toBe(202);
    expect(await due()).toEqual({ due: true });
  });

  test("asked for several times at once is queued once", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const [delivery_id = ""] = await givenUp(id, 1);
    const known = await replay({ delivery_id: "dlv_00000000000000000000000000" });
    expect(refusal(known)).toEqual([404, "not_found"]);
    const renamed = "dlv_00000000000000000000000001";
    await sql()`update mailpipe.deliveries set id = ${renamed} where id = ${delivery_id}`;
    const answers = await Promise.all(Array.from({ length: 6 }, () => replay({ delivery_id: renamed })));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map(({ body }) => body.job_id)).size).toBe(1);
    expect(await jobs()).toHaveLength(1);
  });
});

describe("all of an endpoint that was given up since a time", () => {
  test("is sent again, each once, behind the events of now; what was not is left alone", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const other = await subscribe(tenant.test, receiver.url);
    const [before, at, after, taken] = await givenUp(id, 4);
    await givenUp(other.id, 2);
    await sql()`update mailpipe.deliveries set state = 'succeeded', failure = null where id = ${taken ?? ""}`;
    const { delivery_id: pending } = await sendTest(tenant.test, id);
    await sql()`delete from mailpipe.jobs`;
    // When the second was given up, whose event is of two days before.
    const since = "2026-05-01T02:00:10+02:00";
    const answer = await replay({ endpoint_id: id, since });
    expect(answer.status).toBe(202);
    expect(await jobs("replay_deliveries")).toEqual([{ subject: id, lane: "first" }]);
    expect(await runAllDataJobs(api)).toBe(1);
    expect(await jobs()).toEqual([at, after].sort().map((subject) => ({ subject, lane: "retry" })));
    expect(await states(id)).toEqual({
      [before ?? ""]: "failed",
      [at ?? ""]: "pending",
      [after ?? ""]: "pending",
      [taken ?? ""]: "succeeded",
      [pending]: "pending",
    });
    const [line] =
      await sql()`select subject_id, detail from mailpipe.audit where action = 'webhook.replayed' and subject_id = ${id}`;
    const utc = "2026-05-01T00:00:10.000Z";
    expect(line).toEqual({ subject_id: id, detail: { since: utc, job_id: answer.body.job_id } });
  });

  test("runs one replay of an endpoint at a time, and the next when that is done", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    await givenUp(id, 1);
    const request = { endpoint_id: id, since: "2026-01-01T00:00:00Z" };
    const asked = await Promise.all([replay(request), replay(request), replay(request)]);
    expect(asked.map(({ status }) => status).sort()).toEqual([202, 409, 409]);
    const refused = asked.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({
      code: "replay_running",
      error: `A replay of this endpoint is running: ${id}.`,
      hint: "It goes through 500 deliveries a step; GET deliveries shows them as pending.",
    });
    await runAllDataJobs(api);
    expect((await replay(request)).status).toBe(202);
  });

  test("ends when its endpoint is disabled or removed meanwhile", async () => {
    for (const change of ["enabled = false, disabled_reason = 'by_hand'", "removed"]) {
      const { id } = await subscribe(tenant.test, receiver.url);
      await givenUp(id, 501);
      await replay({ endpoint_id: id, since: "2026-01-01T00:00:00Z" });
      expect(await dataStep(api)).toBe(1);
      expect(await jobs()).toHaveLength(500);
      await sql().unsafe(
        `update mailpipe.webhook_endpoints set ${
          change === "removed"
            ? "removed_at = now(), enabled = false, disabled_reason = 'removed', disabled_at = now()"
            : `${change}, disabled_at = now()`
        } where id = '${id}'`,
      );
      expect(await runAllDataJobs(api)).toBe(1);
      expect(await jobs("replay_deliveries"), change).toEqual([]);
      expect(await jobs(), change).toHaveLength(500);
      await sql()`delete from mailpipe.jobs`;
    }
  });

  test("takes nothing a second time that is given up again while it runs", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const all = await givenUp(id, 1001);
    await replay({ endpoint_id: id, since: "2026-01-01T00:00:00Z" });
    for (let steps = 0; steps < 3; steps++) {
      await api.database.advanceClock("1 second");
      expect(await dataStep(api)).toBe(1);
      // The worker was quick, and had no luck with any of them.
      await sql()`
        with tried as (delete from mailpipe.jobs where kind = 'dispatch_delivery' returning subject_id)
        update mailpipe.deliveries set state = 'failed', attempts = attempts + 1, finished_at = mailpipe.clock()
        from tried where id = subject_id
      `;
    }
    expect(await dataStep(api)).toBe(0);
    const [row] = await sql()`
      select count(*)::int as tried from mailpipe.deliveries where endpoint_id = ${id} and attempts = 12
    `;
    expect(row).toEqual({ tried: all.length });
  });

  test("of 50,000, with a worker lost midway, goes on from there: each once, and no event anew", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const all = await givenUp(id, 50_000);
    await sql()`analyze mailpipe.deliveries`;
    await replay({ endpoint_id: id, since: "2026-01-01T00:00:00Z" });
    const queued = async () => {
      const [row] = await sql()`
        select count(*)::int as jobs, count(distinct subject_id)::int as deliveries from mailpipe.jobs
        where kind = 'dispatch_delivery'
      `;
      return row;
    };
    for (let steps = 0; steps < 40; steps++) await dataStep(api);
    expect(await queued()).toEqual({ jobs: 20_000, deliveries: 20_000 });

    // A worker takes the next step's claim and is killed; a second dies after its step, before it said so.
    const worker = { project_secret: true } as never;
    const service = api.database.sql("service_role");
    const claim = async () => {
      const [row] = await service`select mailpipe_api.claim_data_jobs(${worker}) -> 0 as job`;
      return row?.["job"] as { job_id: string; fence: number } | null;
    };
    const step = async ({ job_id, fence }: { job_id: string; fence: number }) =>
      (await service`select mailpipe_api.replay_step(${worker}, ${job_id}, ${fence}) as step`)[0]?.["step"];
    const lost = await claim();
    expect(await dataStep(api)).toBe(0);
    await api.database.advanceClock("5 minutes");
    const second = await claim();
    if (lost === null || second === null) throw new Error("nothing was claimed");
    expect(await step(second)).toEqual({ replayed: 500, done: false });
    // The first one comes back: it may take no step any more, nor end the job.
    expect(await step(lost)).toEqual({ replayed: 0, done: true });
    expect(await queued()).toEqual({ jobs: 20_500, deliveries: 20_500 });
    expect(await jobs("replay_deliveries")).toHaveLength(1);

    expect(await runAllDataJobs(api)).toBe(60);
    expect(await queued()).toEqual({ jobs: all.length, deliveries: all.length });
    expect(await jobs("replay_deliveries")).toEqual([]);
    const [row] = await sql()`
      select count(*)::int as events, count(*) filter (where delivery.state = 'pending')::int as pending
      from mailpipe.events as event
      join mailpipe.deliveries as delivery on delivery.event_id = event.id
      where endpoint_id = ${id}
    `;
    expect(row).toEqual({ events: all.length, pending: all.length });

    // An event of now does not wait behind them.
    await ask(sendMail, "send-mail", {
      token: tenant.test,
      body: { from: "a@s.example", to: ["b@r.example"], subject: "now", text: "t" },
    });
    await sql()`
      delete from mailpipe.jobs where kind = 'dispatch_delivery' and lane = 'retry' and subject_id > ${
      all.sort()[40] ?? ""
    }
    `;
    await dispatch(api);
    const told = receiver.calls.map(({ headers }) => headers["webhook-id"]);
    expect(new Set(told).size).toBe(42);
    const first = told.findIndex((each) => !each?.startsWith(`evt_${id}`));
    expect(first).toBeLessThan(5);
    const [tried] = await sql()`
      select count(*)::int as tries from mailpipe.attempts as attempt
      join mailpipe.deliveries as delivery on delivery.id = attempt.delivery_id
      where endpoint_id = ${id} and delivery.attempts = 12 and state = 'succeeded'
    `;
    expect(tried).toEqual({ tries: 41 });
  }, 180_000);

  test("takes no step of another kind of job, and does not end it", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    await sql()`
      insert into mailpipe.jobs (id, organization_id, environment, kind, subject_id, fence)
      values ('job_other', ${tenant.organization_id}, 'test', 'export_data', ${id}, 3)
    `;
    const worker = { project_secret: true } as never;
    const [row] = await api.database.sql("service_role")`
      select mailpipe_api.replay_step(${worker}, 'job_other', 3) as step
    `;
    expect(row?.["step"]).toEqual({ replayed: 0, done: true });
    expect(await jobs("export_data")).toHaveLength(1);
  });
});

/** What became of each delivery of an endpoint. */
async function states(id: string): Promise<Record<string, string>> {
  const found = await sql()<{ id: string; state: string }[]>`
    select id, state from mailpipe.deliveries where endpoint_id = ${id}
  `;
  return Object.fromEntries(found.map((each) => [each.id, each.state]));
}

describe("replay-deliveries is refused", () => {
  const delivery_id = "dlv_00000000000000000000000000";
  const endpoint_id = "whk_00000000000000000000000000";
  const since = "2026-05-01T00:00:00Z";

  test.each<[string, object, ...string[]]>([
    ["with nothing", {}, "endpoint_id", "since"],
    ["without since", { endpoint_id }, "since"],
    ["without an endpoint", { since }, "endpoint_id"],
    ["with a delivery and an endpoint", { delivery_id, endpoint_id }, "endpoint_id"],
    ["with a delivery and since", { delivery_id, since }, "since"],
    ["with all three", { delivery_id, endpoint_id, since }, "endpoint_id", "since"],
    ["with an endpoint's id for a delivery's", { delivery_id: endpoint_id }, "delivery_id"],
    ["with a delivery's id for an endpoint's", { endpoint_id: delivery_id, since }, "endpoint_id"],
    ["with an id in lower case", { delivery_id: delivery_id.replace(/0$/, "a") }, "delivery_id"],
    ["with an id of null", { delivery_id: null }, "delivery_id"],
    ["with a list of ids", { delivery_id: [delivery_id] }, "delivery_id"],
    ["with a field there is not", { delivery_id, dry_run: true }, "dry_run"],
    ...([
      ...["yesterday", "2026-05-01", "2026-05-01T00:00:00", "2026-05-01 00:00:00Z", "2026-13-01T00:00:00Z"],
      ...["2026-02-30T00:00:00Z", "2026-05-01T25:00:00Z", "0000-01-01T00:00:00Z", "-infinity", "now", ""],
      ...["2026-05-01T00:00:00Z\0", 1_777_593_600, null, ["2026-05-01T00:00:00Z"]],
    ].map((odd) =>
      [`with since ${JSON.stringify(odd)}`, { endpoint_id, since: odd }, "since"] as [string, object, string]
    )),
  ])("%s, and the field is named", async (_, body, ...paths) => {
    expect(refusal(await replay(body))).toEqual([422, "invalid_request", ...paths]);
    expect(await jobs("replay_deliveries")).toEqual([]);
  });

  test("for what is not there, somebody else's, or of the other environment", async () => {
    const other = await foundTenant(api, `other${tenants}`);
    const { id } = await subscribe(tenant.test, receiver.url);
    const tested = await sendTest(tenant.test, id);
    for (const body of [{ delivery_id }, { endpoint_id, since }]) {
      expect(refusal(await replay(body))).toEqual([404, "not_found"]);
    }
    await sql()`delete from mailpipe.jobs`;
    for (const token of [other.test, other.live, tenant.live]) {
      expect(refusal(await replay({ delivery_id: tested.delivery_id }, token))).toEqual([404, "not_found"]);
      expect(refusal(await replay({ endpoint_id: id, since }, token))).toEqual([404, "not_found"]);
    }
    expect(await jobs()).toEqual([]);
  });

  test("for an endpoint that is disabled, whichever is asked for", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const tested = await sendTest(tenant.test, id);
    await changeEndpoint(tenant.test, id, { enabled: false });
    for (const body of [{ delivery_id: tested.delivery_id }, { endpoint_id: id, since }]) {
      const refused = await replay(body);
      expect(refusal(refused)).toEqual([409, "webhook_disabled"]);
      expect(refused.body.error).toBe("The endpoint is disabled: by_hand.");
    }
  });
});
