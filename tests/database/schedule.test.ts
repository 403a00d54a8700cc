import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

interface Queued {
  url: string;
  headers: Record<string, string>;
}

let database: TestDatabase;

/** What waits to be posted, as pg_net would take it; the queue is empty afterwards. */
async function queued(): Promise<Queued[]> {
  return await database.sql("supabase_admin")<Queued[]>`
    delete from net.http_request_queue returning url, headers
  `;
}

async function addJob(kind: string, due: string): Promise<void> {
  const sql = database.sql("postgres");
  await sql`insert into mailpipe.organizations (id, name) values ('org_a', 'A') on conflict do nothing`;
  await sql`
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, due_at)
    values ('org_a', 'live', ${kind}, ${kind}, mailpipe.clock() + ${due}::interval)
  `;
}

beforeAll(async () => {
  database = await cloneDatabase("hosted_scheduler");
  await applyMigrations(database.url);
});

afterAll(() => database?.close());

describe("where pg_cron and pg_net exist", () => {
  test("two statements are scheduled, one for the workers and one for maintenance", async () => {
    const jobs = await database.sql(
      "postgres",
    )`select jobname, schedule, command from cron.job order by jobid`;
    expect(jobs).toEqual([
      { jobname: "mailpipe-wake-workers", schedule: "5 seconds", command: "select mailpipe.wake_workers()" },
      {
        jobname: "mailpipe-wake-maintenance",
        schedule: "* * * * *",
        command: "select mailpipe.wake_maintenance()",
      },
    ]);
  });

  test("nothing is posted while nothing is due", async () => {
    await database.sql(
      "postgres",
    )`update mailpipe.settings set functions_url = 'https://p.example/functions/v1'`;
    await addJob("deliver_message", "1 hour");
    await database.sql("postgres")`select mailpipe.wake_workers(), mailpipe.wake_maintenance()`;
    expect(await queued()).toEqual([]);
  });

  test("only the worker that has something due is woken, at the address and with the secret of that moment", async () => {
    await addJob("dispatch_delivery", "-1 second");
    await database.sql("postgres")`select mailpipe.wake_workers()`;
    const [first, ...others] = await queued();
    expect(others).toEqual([]);
    expect(first?.url).toBe("https://p.example/functions/v1/dispatch-webhooks");
    expect(first?.headers["authorization"]).toMatch(/^Bearer mpw_[0-9a-f]{64}$/);

    const [vaulted] = await database.sql("postgres")<{ id: string }[]>`
      select id from vault.secrets where name = 'mailpipe_worker_secret'
    `;
    await database.sql("postgres")`select vault.update_secret(${vaulted?.id ?? ""}, 'mpw_changed')`;
    await database.sql(
      "postgres",
    )`update mailpipe.settings set functions_url = 'https://q.example/functions/v1'`;
    await database.sql("postgres")`select mailpipe.wake_workers()`;
    const [second] = await queued();
    expect(second).toMatchObject({
      url: "https://q.example/functions/v1/dispatch-webhooks",
      headers: { authorization: "Bearer mpw_changed" },
    });
  });

  test("nothing is posted before the functions' address is known", async () => {
    await database.sql("postgres")`update mailpipe.settings set functions_url = null`;
    await database.sql("postgres")`select mailpipe.wake_workers()`;
    expect(await queued()).toEqual([]);
  });
});

describe("where they do not", () => {
  test("the migrations apply all the same, and nothing is scheduled", async () => {
    const plain = await cloneDatabase("mailpipe");
    const [there] = await plain.sql("postgres")`select to_regnamespace('cron') is not null as cron`;
    await plain.close();
    expect(there?.["cron"]).toBe(false);
  });
});
