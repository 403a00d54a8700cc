import type { Sql } from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, rpc, type Tenant, worker } from "./tenant.ts";

interface Claimed {
  id: string;
  fence: number;
}

interface Step {
  accepted: boolean;
  rewrapped: number;
  left: number | null;
  done: boolean;
}

interface Version {
  version: number;
  newest: boolean;
  data_keys: number;
  in_vault: boolean;
}

let database: TestDatabase;
let owner: Sql;
let service: Sql;
let acme: Tenant;

beforeEach(async () => {
  database = await cloneDatabase();
  await database.setClock("2026-03-01T12:00:00Z");
  owner = database.sql("postgres");
  service = database.sql("service_role");
  acme = await foundTenant(database, "Acme");
});
afterEach(() => database.close());

/** Organizations beside Acme, each with a data key. */
async function foundMore(count: number): Promise<void> {
  await owner`
    with founded as (
      insert into mailpipe.organizations (name) select 'org ' || n from generate_series(1, ${count}::int) as n returning id
    )
    select mailpipe.create_data_key(id) from founded
  `;
}

async function rotate(): Promise<number> {
  const [row] = await owner<{ version: number }[]>`select mailpipe.rotate_master_key() as version`;
  return row?.version ?? 0;
}

async function claim(): Promise<Claimed> {
  const [job] = await database.sql("mailpipe_worker").begin(async (sql) => {
    await sql`select mailpipe.authenticate(${sql.json(worker)}, 'worker')`;
    return await sql<Claimed[]>`
      select id, fence::int from mailpipe.claim_jobs('rewrap_keys', 1, interval '1 minute')
    `;
  });
  if (job === undefined) throw new Error("no job of kind rewrap_keys is due");
  return job;
}

const step = ({ id, fence }: Claimed) =>
  rpc<Step>(service, "rewrap_data_keys", { p_caller: worker, p_job_id: id, p_fence: fence });

async function finish(): Promise<Step[]> {
  const [job, steps]: [Claimed, Step[]] = [await claim(), []];
  while (!steps.at(-1)?.done) steps.push(await step(job));
  return steps;
}

const versions = () =>
  owner<Version[]>`
    select version, newest, data_keys::int, in_vault from mailpipe.master_key_rotation order by version
  `;

async function opened({ organization_id, provider_id }: Tenant): Promise<string> {
  const [row] = await owner<{ plain: string }[]>`
    select mailpipe.unseal(organization_id, 'providers', id, 'credentials', credentials) as plain
    from mailpipe.providers
    where id = ${provider_id} and organization_id = ${organization_id}
  `;
  return row?.plain ?? "";
}

const sealed = () => owner`select credentials, inbound_secret from mailpipe.providers order by id`;
const wrapped = () => owner`select organization_id, wrapped from mailpipe.data_keys order by organization_id`;
const loseFromVault = (version: number) =>
  owner`
    delete from vault.secrets
    where id = (select vault_secret_id from mailpipe.master_keys where version = ${version})
  `;
const jobs = () => owner`select kind, organization_id, environment from mailpipe.jobs`;

describe("rotating the master key", () => {
  test("makes the next version in Vault and queues one job, of the installation", async () => {
    expect(await rotate()).toBe(2);
    expect(await versions()).toEqual([
      { version: 1, newest: false, data_keys: 1, in_vault: true },
      { version: 2, newest: true, data_keys: 0, in_vault: true },
    ]);
    expect(await jobs()).toEqual([{ kind: "rewrap_keys", organization_id: null, environment: null }]);
  });

  test("re-wraps data keys and touches no sealed column, and everything opens at each stage", async () => {
    const zeta = await foundTenant(database, "Zeta");
    const before = { sealed: await sealed(), wrapped: await wrapped() };
    await rotate();
    expect([await opened(acme), await opened(zeta)]).toEqual([
      expect.stringContaining("secret of Acme"),
      expect.stringContaining("secret of Zeta"),
    ]);
    expect(await finish()).toEqual([{ accepted: true, rewrapped: 2, left: 0, done: true }]);
    expect(await versions()).toMatchObject([{ data_keys: 0 }, { data_keys: 2 }]);
    expect(await sealed()).toEqual(before.sealed);
    expect((await wrapped()).map(({ wrapped }) => wrapped)).not.toEqual(
      before.wrapped.map(({ wrapped }) => wrapped),
    );
    expect(await jobs()).toEqual([]);
    await owner`select mailpipe.retire_master_key(1)`;
    expect([await opened(acme), await opened(zeta)]).toEqual([
      expect.stringContaining("secret of Acme"),
      expect.stringContaining("secret of Zeta"),
    ]);
  });

  test("serves organizations founded meanwhile with the new version, reads under both, writes under the new", async () => {
    await rotate();
    const fresh = await foundTenant(database, "Fresh");
    const under = await owner<{ organization_id: string; master_key_version: number }[]>`
      select organization_id, master_key_version from mailpipe.data_keys
    `;
    expect(new Map(under.map((row) => [row.organization_id, row.master_key_version]))).toEqual(
      new Map([[acme.organization_id, 1], [fresh.organization_id, 2]]),
    );
    expect([await opened(acme), await opened(fresh)]).toEqual([
      expect.stringContaining("secret of Acme"),
      expect.stringContaining("secret of Fresh"),
    ]);
    expect(await finish()).toEqual([{ accepted: true, rewrapped: 1, left: 0, done: true }]);
  });

  test("called six times at once has one winner, and the others change nothing", async () => {
    const six = await Promise.allSettled(Array.from({ length: 6 }, rotate));
    expect(six.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of six) {
      if (each.status === "rejected") {
        expect(each.reason).toMatchObject({ code: "PT409", message: "rotation_running" });
      }
    }
    expect(await versions()).toHaveLength(2);
    expect(await owner`select id from vault.secrets where name like 'mailpipe_master_key_%'`).toHaveLength(2);
    expect(await jobs()).toHaveLength(1);
    await finish();
    expect(await rotate()).toBe(3);
  });

  test("waits for whoever is founding an organization, so no data key stays behind", async () => {
    const founding = await owner.reserve();
    await founding`begin`;
    await founding`select mailpipe.found_organization('Slow', ${acme.user_id})`;
    const rotated = rotate();
    await until(async () => (await owner`select from pg_locks where not granted`).length > 0);
    await founding`commit`;
    founding.release();
    expect(await rotated).toBe(2);
    expect(await finish()).toEqual([{ accepted: true, rewrapped: 2, left: 0, done: true }]);
  });

  test("is waited for by whoever comes to found an organization, whose data key is under the new version", async () => {
    const rotating = await owner.reserve();
    await rotating`begin`;
    await rotating`select mailpipe.rotate_master_key()`;
    const founded = owner<{ id: string }[]>`
      select mailpipe.found_organization('Next', ${acme.user_id}) as id
    `.execute();
    await until(async () => (await owner`select from pg_locks where not granted`).length > 0);
    await rotating`commit`;
    rotating.release();
    const [next] = await founded;
    expect(
      await owner`select master_key_version from mailpipe.data_keys where organization_id = ${
        next?.id ?? ""
      }`,
    ).toEqual([{ master_key_version: 2 }]);
  });

  test("holds up nobody who founds an organization while another is being founded", async () => {
    const founding = await owner.reserve();
    await founding`begin`;
    await founding`select mailpipe.found_organization('Slow', ${acme.user_id})`;
    await owner`select mailpipe.found_organization('Quick', ${acme.user_id})`;
    await founding`rollback`;
    founding.release();
  });

  test("is nobody's but the operator's", async () => {
    const roles = ["anon", "authenticated", "service_role", "mailpipe_tenant", "mailpipe_worker"] as const;
    for (const role of roles) {
      for (
        const call of [
          "mailpipe.rotate_master_key()",
          "mailpipe.retire_master_key(1)",
          "mailpipe.take_out_master_key('sixteen characters')",
          "mailpipe.bring_in_master_key(1, 'x', 'sixteen characters')",
        ]
      ) {
        await expect(database.sql(role).unsafe(`select ${call}`), `${role} ${call}`).rejects.toMatchObject({
          code: "42501",
        });
      }
    }
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) if (await holds()) return;
  throw new Error("it never came true");
}

describe("the job that re-wraps", () => {
  test("takes short steps, counts them, and is resumed by another worker where the first was lost", async () => {
    await foundMore(1_199);
    await rotate();
    const lost = await claim();
    await database.advanceClock("30 seconds");
    expect(await step(lost)).toEqual({ accepted: true, rewrapped: 500, left: 700, done: false });
    expect(await owner`select cursor from mailpipe.jobs`).toEqual([{ cursor: { rewrapped: 500 } }]);
    await database.advanceClock("59 seconds");
    await expect(claim()).rejects.toThrow("no job");
    await database.advanceClock("1 second");
    const next = await claim();
    expect(await step(lost)).toEqual({ accepted: false, rewrapped: 0, left: null, done: false });
    expect(await step(next)).toEqual({ accepted: true, rewrapped: 500, left: 200, done: false });
    expect(await owner`select cursor from mailpipe.jobs`).toEqual([{ cursor: { rewrapped: 1_000 } }]);
    expect(await step(next)).toEqual({ accepted: true, rewrapped: 200, left: 0, done: true });
    expect(await step(next)).toEqual({ accepted: false, rewrapped: 0, left: null, done: false });
    expect(await versions()).toMatchObject([{ data_keys: 0 }, { data_keys: 1_200 }]);
    expect(await opened(acme)).toContain("secret of Acme");
  });

  test("repeated finds nothing to do and changes no byte", async () => {
    await rotate();
    await finish();
    const before = await wrapped();
    const [again] = await owner<{ step: Step }[]>`select mailpipe.rewrap_oldest(500) as step`;
    expect(again?.step).toEqual({ rewrapped: 0, left: 0 });
    expect(await wrapped()).toEqual(before);
  });

  test("done twice at once re-wraps each key once", async () => {
    await foundMore(299);
    await rotate();
    const twice = await Promise.all([1, 2].map(() =>
      owner<{ rewrapped: number }[]>`
        select (mailpipe.rewrap_oldest(500) ->> 'rewrapped')::int as rewrapped
      `
    ));
    expect(twice.flat().map(({ rewrapped }) => rewrapped).sort()).toEqual([0, 300]);
  });

  test("is a worker's, and of no other job", async () => {
    await rotate();
    const job = await claim();
    for (const caller of [acme.live, acme.session, { worker_hash: "00" }]) {
      await expect(
        rpc(service, "rewrap_data_keys", { p_caller: caller, p_job_id: job.id, p_fence: job.fence }),
      ).rejects.toMatchObject({ code: "PT401" });
    }
    await expect(step({ ...job, id: "job_00000000000000000000000000" })).resolves.toMatchObject({
      accepted: false,
    });
    const [other] = await owner<Claimed[]>`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
      values (${acme.organization_id}, 'live', 'export_data', 'x')
      returning id, fence::int
    `;
    await expect(step(other ?? job)).resolves.toMatchObject({ accepted: false });
    expect(await versions()).toMatchObject([{ data_keys: 1 }, { data_keys: 0 }]);
    await expect(step({ ...job, fence: job.fence + 1 })).resolves.toMatchObject({ accepted: false });
  });

  test("is no tenant's: none sees, takes away or adds one", async () => {
    await rotate();
    const pinned = async (statement: string) =>
      await database.sql("mailpipe_tenant").begin(async (sql) => {
        await sql`select mailpipe.authenticate(${sql.json(acme.session)}, 'caller')`;
        return await sql.unsafe(statement);
      });
    expect(await pinned("select id from mailpipe.jobs")).toEqual([]);
    expect(await pinned("delete from mailpipe.jobs returning id")).toEqual([]);
    await expect(pinned("insert into mailpipe.jobs (kind, subject_id) values ('rewrap_keys', 'mine')"))
      .rejects.toMatchObject({ code: "42501" });
    await expect(pinned(
      `insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
       values ('${acme.organization_id}', 'live', 'rewrap_keys', 'mine')`,
    )).rejects.toMatchObject({ constraint_name: "jobs_rewrapping_is_nobodys" });
    expect(await jobs()).toHaveLength(1);
  });

  test("and no other kind may be nobody's", async () => {
    await expect(owner`insert into mailpipe.jobs (kind, subject_id) values ('deliver_message', 'x')`)
      .rejects.toMatchObject({ constraint_name: "jobs_rewrapping_is_nobodys" });
  });
});

describe("retiring a version", () => {
  const retire = (version: number) => owner`select mailpipe.retire_master_key(${version})`;

  test("is refused while it is the newest or a data key needs it, and takes it out of Vault and table after", async () => {
    const inUse = { code: "55006", message: "master_key_in_use" };
    await expect(retire(1)).rejects.toMatchObject(inUse);
    await rotate();
    await expect(retire(1)).rejects.toMatchObject({
      ...inUse,
      detail: expect.stringContaining("data keys 1") as string,
    });
    await expect(retire(2)).rejects.toMatchObject(inUse);
    await finish();
    await retire(1);
    expect(await versions()).toEqual([{ version: 2, newest: true, data_keys: 1, in_vault: true }]);
    expect(await owner`select id from vault.secrets where name like 'mailpipe_master_key_%'`).toHaveLength(1);
    await expect(retire(1)).rejects.toMatchObject({ message: "master_key_unknown" });
  });
});

describe("a version that is missing", () => {
  const missing = (version: number) => ({
    code: "PT503",
    message: "master_key_missing",
    detail: `version ${version} is not in this project's Vault`,
  });

  test("is an error that names it, for reading, writing, founding and re-wrapping, and never an empty answer", async () => {
    await loseFromVault(1);
    expect(await versions()).toEqual([{ version: 1, newest: true, data_keys: 1, in_vault: false }]);
    await expect(opened(acme)).rejects.toMatchObject(missing(1));
    await expect(foundTenant(database, "Zeta")).rejects.toMatchObject(missing(1));
    // Nothing under it could be re-wrapped, so no new version is made.
    await expect(rotate()).rejects.toMatchObject(missing(1));
    expect(await versions()).toHaveLength(1);
  });

  test("that goes missing while keys are re-wrapped stops that, and loses none", async () => {
    await rotate();
    await loseFromVault(1);
    await expect(step(await claim())).rejects.toMatchObject(missing(1));
    expect(await versions()).toMatchObject([{ data_keys: 1 }, { data_keys: 0 }]);
  });

  test("closes its own organizations only", async () => {
    await rotate();
    const fresh = await foundTenant(database, "Fresh");
    await loseFromVault(1);
    await expect(opened(acme)).rejects.toMatchObject(missing(1));
    expect(await opened(fresh)).toContain("secret of Fresh");
  });

  test("that never was is no different", async () => {
    await expect(owner`select mailpipe.master_key(9)`).rejects.toMatchObject(missing(9));
    await expect(owner`update mailpipe.data_keys set master_key_version = 9`).rejects.toMatchObject({
      constraint_name: "data_keys_master_key",
    });
  });
});
