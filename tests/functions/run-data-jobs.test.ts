import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import deleteData from "../../functions/delete-data/index.ts";
import exportData from "../../functions/export-data/index.ts";
import runDataJobs from "../../functions/run-data-jobs/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { dataStep, runAllDataJobs } from "../support/data-jobs.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
beforeEach(async () => {
  await runAllDataJobs(api);
  // One that waits for objects to be old enough.
  await sql()`delete from mailpipe.jobs`;
});
afterAll(() => api.close());

const sql = () => api.database.sql("postgres");
const versions = async () =>
  (await sql()<{ version: number; keys: number }[]>`
    select master_key_version as version, count(*)::int as keys from mailpipe.data_keys group by 1 order by 1
  `).map(({ version, keys }) => [version, keys]);

async function jobs(): Promise<string[]> {
  return (await sql()<{ kind: string }[]>`select kind from mailpipe.jobs order by kind`).map(({ kind }) =>
    kind
  );
}

async function askAway(): Promise<void> {
  const request = { what: "person", id: "nobody@example.net" };
  const asked = await ask(deleteData, "delete-data", { token: tenant.live, body: request });
  const body = { ...request, confirm: asked.body.confirm };
  await ask(deleteData, "delete-data", { token: tenant.live, body });
}

describe("run-data-jobs", () => {
  test("is for workers only, and does nothing when nothing is due", async () => {
    const byKey = await ask(runDataJobs, "run-data-jobs", { token: tenant.live, body: {} });
    expect(refusal(byKey)).toEqual([401, "invalid_credential"]);
    expect(await dataStep(api)).toBe(0);
  });

  test("re-wraps every data key under the newest master key, and forgets the job", async () => {
    await foundTenant(api, "second");
    expect(await versions()).toEqual([[1, 2]]);
    await sql()`select mailpipe.rotate_master_key()`;
    expect(await jobs()).toEqual(["rewrap_keys"]);
    expect(await runAllDataJobs(api)).toBeGreaterThan(0);
    expect(await versions()).toEqual([[2, 2]]);
    expect(await jobs()).toEqual([]);
  });

  test("takes one step a call, of a deletion before an export before a rotation", async () => {
    await ask(exportData, "export-data", { method: "POST", token: tenant.live });
    await askAway();
    await sql()`select mailpipe.rotate_master_key()`;
    expect(await jobs()).toEqual(["delete_data", "export_data", "rewrap_keys"]);
    const stage = async (kind: string) =>
      (await sql()`select cursor ->> 'stage' as stage from mailpipe.jobs where kind = ${kind}`)[0]?.["stage"];
    await dataStep(api);
    expect([await stage("delete_data"), await stage("export_data")]).toEqual([
      "sweep messages",
      "organizations",
    ]);
    await runAllDataJobs(api);
    expect(await jobs()).toEqual([]);
  });

  test("leaves a step whose worker was lost to the next, once its claim is over", async () => {
    await api.database.setClock(new Date().toISOString());
    await askAway();
    const worker = api.database.sql("service_role");
    const [claimed] = await worker`select mailpipe_api.claim_data_jobs('{"project_secret": true}') as jobs`;
    const [job] = claimed?.["jobs"] as { job_id: string; fence: number }[];
    expect(await dataStep(api)).toBe(0);
    await api.database.advanceClock("4 minutes 59 seconds");
    expect(await dataStep(api)).toBe(0);
    await api.database.advanceClock("1 second");
    expect(await dataStep(api)).toBe(1);
    // The lost one comes back: it may not take a step any more.
    const [late] = await worker`
      select mailpipe_api.delete_step('{"project_secret": true}', ${job?.job_id ?? ""}, ${
      job?.fence ?? 0
    }, '[]', '[]') as step
    `;
    expect(late?.["step"]).toEqual({ done: true });
  });

  test("takes no step of a deletion whose claim is taken at that very moment, nor of another kind of job", async () => {
    await askAway();
    const worker = api.database.sql("service_role");
    const claim = async () => {
      const [claimed] = await worker`select mailpipe_api.claim_data_jobs('{"project_secret": true}') as jobs`;
      return (claimed?.["jobs"] as { job_id: string; fence: number }[])[0] ?? { job_id: "", fence: 0 };
    };
    const take = async ({ job_id, fence }: { job_id: string; fence: number }) => {
      const [row] = await worker`
        select mailpipe_api.delete_step('{"project_secret": true}', ${job_id}, ${fence}, '[]', '[]') as step
      `;
      return row?.["step"];
    };
    const job = await claim();
    let late: Promise<unknown> | undefined;
    await sql().begin(async (other) => {
      await other`update mailpipe.jobs set fence = fence + 1, due_at = mailpipe.clock() where id = ${job.job_id}`;
      late = take(job);
      const waiting = () =>
        sql()`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await expect.poll(async () => (await waiting()).length).toBe(1);
    });
    expect(await late).toEqual({ done: true });
    await runAllDataJobs(api);

    await ask(exportData, "export-data", { method: "POST", token: tenant.live });
    const other = await claim();
    expect(await take(other)).toEqual({ done: true });
    const [left] = await sql()`select cursor from mailpipe.jobs where id = ${other.job_id}`;
    expect(left?.["cursor"]).toEqual({ stage: "organizations" });
    await sql()`update mailpipe.jobs set due_at = mailpipe.clock()`;
  });

  test("removes objects of the step before until Storage has taken them", async () => {
    await askAway();
    const key = `${tenant.organization_id}/live/${"a".repeat(64)}`;
    await sql()`
      update mailpipe.jobs set cursor = cursor || jsonb_build_object('objects', jsonb_build_array(${key}::text))
      where kind = 'delete_data'
    `;
    const { calls } = api;
    calls.length = 0;
    const storage = api.database.sql("supabase_admin");
    await storage`revoke delete on storage.objects from service_role`;
    await expect(dataStep(api)).rejects.toThrow("storage_unavailable");
    const [left] = await sql()`select cursor from mailpipe.jobs where kind = 'delete_data'`;
    expect(left?.["cursor"]).toEqual({ stage: "messages", objects: [key] });
    await storage`grant delete on storage.objects to service_role`;
    await api.database.advanceClock("5 minutes");
    await dataStep(api);
    expect(calls.filter(({ method }) => method === "DELETE")).toHaveLength(2);
  });
});
