import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, hashOf, rpc, send, type Tenant } from "./tenant.ts";

const FUNCTIONS = "https://abc.supabase.co/functions/v1";

let database: TestDatabase;
let owner: Sql;
let service: Sql;
let acme: Tenant;

beforeAll(async () => {
  database = await cloneDatabase("hosted_scheduler");
  await applyMigrations(database.url);
  await database.setClock("2026-03-01T12:00:00Z");
  owner = database.sql("postgres");
  service = database.sql("service_role");
  acme = await foundTenant(database, "Acme");
});
afterAll(() => database.close());

interface Posted {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Runs what pg_cron runs under a name, as its user; the requests pg_net would make. */
async function fire(name: string): Promise<Posted[]> {
  const [job] = await owner<{ command: string }[]>`select command from cron.job where jobname = ${name}`;
  await owner.unsafe(job?.command ?? "select no_such_job");
  return await database.sql("supabase_admin")<Posted[]>`
    with taken as (delete from net.http_request_queue returning *)
    select url, headers, convert_from(body, 'UTF8') as body from taken order by id
  `;
}

const sweep = () => fire("mailpipe-wake-workers");

async function workerSecret(): Promise<string> {
  const [row] = await owner<{ secret: string }[]>`
    select decrypted_secret as secret from vault.decrypted_secrets where name = 'mailpipe_worker_secret'
  `;
  return row?.secret ?? "";
}

beforeEach(async () => {
  await owner`truncate mailpipe.jobs`;
  await rpc(service, "health", { p_caller: null, p_functions_url: FUNCTIONS });
});

test("two jobs are scheduled, with no address and no secret in them", async () => {
  expect(await owner`select jobname, schedule, command, username from cron.job order by jobname`).toEqual([
    {
      jobname: "mailpipe-wake-maintenance",
      schedule: "* * * * *",
      command: "select mailpipe.wake_maintenance()",
      username: "postgres",
    },
    {
      jobname: "mailpipe-wake-workers",
      schedule: "5 seconds",
      command: "select mailpipe.wake_workers()",
      username: "postgres",
    },
  ]);
});

describe("the sweep", () => {
  test("posts nothing while nothing is due", async () => {
    expect(await sweep()).toEqual([]);
    await send(service, acme.test, "later");
    await owner`update mailpipe.jobs set due_at = mailpipe.clock() + interval '1 millisecond'`;
    expect(await sweep()).toEqual([]);
  });

  test("wakes the worker whose work is due, and no other, with the worker secret", async () => {
    await send(service, acme.test, "due");
    const secret = await workerSecret();
    expect(secret).toMatch(/^mpw_[0-9a-f]{64}$/);
    expect(await sweep()).toEqual([{
      url: `${FUNCTIONS}/deliver-mail`,
      headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
      body: "{}",
    }]);
  });

  test.each([
    ["process_inbound", "process-inbound"],
    ["export_data", "run-data-jobs"],
    ["delete_data", "run-data-jobs"],
    ["replay_deliveries", "run-data-jobs"],
  ])("of %s wakes %s", async (kind, slug) => {
    await owner`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
      values (${acme.organization_id}, 'live', ${kind}, 'x')
    `;
    expect((await sweep()).map(({ url }) => url)).toEqual([`${FUNCTIONS}/${slug}`]);
  });

  test("wakes dispatch-webhooks for an endpoint that may be asked, and not for one left alone, busy or removed", async () => {
    const webhook = { url: "https://example.com/", events: ["*"], secret: "whsec_of_the_fixtures" };
    const endpoint = await rpc(service, "create_webhook", {
      p_caller: acme.session,
      p_request: { ...webhook, thin: false, max_concurrent: 1 },
    });
    const queue = (subject: string, lease: string | null) =>
      owner`
        insert into mailpipe.jobs (organization_id, environment, kind, subject_id, group_id, lease_until)
        values (${acme.organization_id}, 'live', 'dispatch_delivery', ${subject}, ${String(endpoint["id"])},
          mailpipe.clock() + ${lease}::interval)
      `;
    const change = (column: string, interval: string | null) =>
      owner`
        update mailpipe.webhook_endpoints set ${owner(column)} = mailpipe.clock() + ${interval}::interval
        where id = ${String(endpoint["id"])}
      `;
    const woken = [{ url: `${FUNCTIONS}/dispatch-webhooks` }];
    await queue("dlv_due", null);
    expect(await sweep()).toMatchObject(woken);
    for (const column of ["resume_at", "removed_at"]) {
      await change(column, "1 minute");
      expect(await sweep(), column).toEqual([]);
      await change(column, null);
      expect(await sweep(), column).toMatchObject(woken);
    }
    await queue("dlv_under_way", "1 minute");
    expect(await sweep()).toEqual([]);
  });

  test("wakes run-data-jobs once for all it does, the installation's own job among it", async () => {
    await owner`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
      values (${acme.organization_id}, 'live', 'export_data', 'x'), (null, null, 'rewrap_keys', 'y')
    `;
    expect((await sweep()).map(({ url }) => url)).toEqual([`${FUNCTIONS}/run-data-jobs`]);
  });

  test("posts nothing while a worker holds the job", async () => {
    await send(service, acme.test, "due");
    await rpc(service, "claim_messages", {
      p_caller: { project_secret: true },
      p_limit: 8,
      p_message_id: null,
    });
    expect(await sweep()).toEqual([]);
    await database.advanceClock("120 seconds");
    expect(await sweep()).toHaveLength(1);
  });

  test("reads the address and the secret when it fires", async () => {
    await send(service, acme.test, "due");
    await rpc(service, "health", { p_caller: null, p_functions_url: "https://moved.example/functions/v1" });
    const before = await workerSecret();
    await owner`
      select vault.update_secret(id, ${`mpw_${
      "0".repeat(64)
    }`}) from vault.secrets where name = 'mailpipe_worker_secret'
    `;
    expect(await sweep()).toMatchObject([{
      url: "https://moved.example/functions/v1/deliver-mail",
      headers: { authorization: `Bearer mpw_${"0".repeat(64)}` },
    }]);
    const who = (secret: string) =>
      rpc(service, "worker_health", { p_caller: { worker_hash: hashOf(secret) } });
    expect(await who(`mpw_${"0".repeat(64)}`)).toHaveProperty("queue");
    await expect(who(before)).rejects.toMatchObject({ code: "PT401" });
  });

  test("posts nothing before the functions have told where they are", async () => {
    await send(service, acme.test, "due");
    await owner`update mailpipe.settings set functions_url = null`;
    expect(await sweep()).toEqual([]);
  });
});

describe("maintenance", () => {
  const maintain = () => fire("mailpipe-wake-maintenance");
  const upkeep = () => rpc(service, "run_maintenance", { p_caller: { project_secret: true } });

  test("is woken when an idempotency record has expired, and not before", async () => {
    await send(service, acme.test, "kept", "order-1");
    await upkeep();
    expect(await maintain()).toEqual([]);
    await database.advanceClock("24 hours");
    expect((await maintain()).map(({ url }) => url)).toEqual([`${FUNCTIONS}/run-maintenance`]);
    expect(await upkeep()).toMatchObject({ idempotency_records: 1 });
    expect(await maintain()).toEqual([]);
  });

  test("is woken for uses to flush, a key that is due and lines to seal, and not once that is done", async () => {
    const woken = async () => (await maintain()).length;
    await upkeep();
    expect(await woken()).toBe(0);
    await rpc(service, "create_mailbox", { p_caller: acme.test, p_request: { address: "due@acme.example" } });
    expect(await woken()).toBe(1);
    expect(await upkeep()).toMatchObject({ used_keys: 1 });
    expect(await woken()).toBe(0);
    await database.advanceClock("1 hour");
    expect(await woken()).toBe(1);
    expect(await upkeep()).toMatchObject({ sealed_ranges: 1 });
    expect(await woken()).toBe(0);
    await database.advanceClock("10 years");
    expect(await woken()).toBe(1);
    expect(await upkeep()).toMatchObject({ keys_due: 2 });
    expect(await upkeep()).toMatchObject({ keys_due: 0 });
  });

  test("is woken for an object no row points at, after a day", async () => {
    await owner`insert into storage.buckets (id, name) values ('theirs', 'theirs')`;
    await owner`
      insert into storage.objects (bucket_id, name, created_at, updated_at)
      values
        ('mailpipe', 'orphan', '2020-01-01', mailpipe.clock() - interval '1 day'),
        ('theirs', 'not ours', '2020-01-01', '2020-01-01')
    `;
    await upkeep();
    expect(await maintain()).toEqual([]);
    await database.advanceClock("1 millisecond");
    expect(await maintain()).toHaveLength(1);
    expect(await rpc(service, "list_orphan_objects", { p_caller: { project_secret: true } })).toEqual([
      "orphan",
    ]);
  });
});

test("where pg_cron and pg_net are missing the migrations apply, and nothing calls them", async () => {
  const plain = await cloneDatabase("hosted");
  try {
    await applyMigrations(plain.url);
    await plain.sql("postgres")`select mailpipe.wake_workers()`;
    expect(await plain.sql("postgres")`select nspname from pg_namespace where nspname in ('cron', 'net')`)
      .toEqual([]);
  } finally {
    await plain.close();
  }
});
