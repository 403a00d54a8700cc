import { Buffer } from "node:buffer";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { bootstrapDatabase } from "../../supabase/local/bootstrap.ts";
import { databaseUrl } from "../../supabase/local/postgres.ts";
import { cloneDatabase, type TestDatabase } from "./database.ts";

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await cloneDatabase("hosted");
  sql = database.sql("postgres");
});
afterAll(() => database.close());

const denied = { code: "42501" };

describe("what a hosted project has", () => {
  test("`postgres` is no superuser but may make roles and databases and passes row-level security", async () => {
    expect(
      await sql`select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = 'postgres'`,
    )
      .toEqual([{ rolsuper: false, rolcreaterole: true, rolcreatedb: true, rolbypassrls: true }]);
    await expect(sql`select pg_read_file('vault.key')`).rejects.toMatchObject(denied);
  });

  test("the API roles cannot log in, and authenticator has nothing of its own but may become each", async () => {
    expect(
      await sql`
      select rolname, rolbypassrls from pg_roles
      where pg_has_role('authenticator', oid, 'set') and not rolcanlogin order by rolname
    `,
    ).toEqual([
      { rolname: "anon", rolbypassrls: false },
      { rolname: "authenticated", rolbypassrls: false },
      { rolname: "service_role", rolbypassrls: true },
    ]);
    expect(await sql`select pg_has_role('authenticator', 'service_role', 'usage') as inherits`)
      .toEqual([{ inherits: false }]);
  });

  test("a new table in public is granted to no API role, a new function to everyone", async () => {
    await sql`create table public.fresh (id int)`;
    await sql.unsafe("create function public.fresh() returns int language sql as 'select 1'");
    for (const role of ["anon", "authenticated", "service_role"] as const) {
      await expect(database.sql(role)`select * from public.fresh`).rejects.toMatchObject(denied);
      expect(await database.sql(role)`select public.fresh()`).toEqual([{ fresh: 1 }]);
    }
  });

  test("our tables may refer to auth.users, and nothing else in auth may be changed", async () => {
    await sql`create table public.follower (user_id uuid references auth.users (id) on delete cascade)`;
    await expect(sql`alter table auth.users add column ours int`).rejects.toMatchObject(denied);
    await expect(sql`create table auth.ours (id int)`).rejects.toMatchObject(denied);
  });

  test("auth.uid() and auth.role() read the claims as PostgREST sets them", async () => {
    const sub = "7b0c2f0e-0d1a-4a64-9d7c-0a4a5b1d2c3e";
    const found = await database.sql("authenticated").begin(async (transaction) => {
      await transaction`select set_config('request.jwt.claims', ${
        JSON.stringify({ sub, role: "authenticated" })
      }, true)`;
      return await transaction`select auth.uid() as uid, auth.role() as role, auth.jwt() ->> 'sub' as sub`;
    });
    expect(found).toEqual([{ uid: sub, role: "authenticated", sub }]);
  });

  test("`postgres` may make buckets and policies on storage.objects, and change nothing else in storage", async () => {
    await sql`insert into storage.buckets (id, name) values ('ours', 'ours')`;
    await sql`create policy ours on storage.objects as restrictive to anon using (bucket_id <> 'ours')`;
    await sql`drop policy ours on storage.objects`;
    await expect(sql`alter table storage.objects disable row level security`).rejects.toMatchObject(denied);
    await expect(sql`delete from storage.buckets`).rejects.toMatchObject(denied);
    await expect(sql`set role supabase_storage_admin`).rejects.toMatchObject(denied);
  });

  test("there is no pg_cron and no pg_net unless asked for", async () => {
    expect(await sql`select nspname from pg_namespace where nspname in ('cron', 'net')`).toEqual([]);
  });

  test("bootstrapping leaves no password among the statements PostgreSQL remembers", async () => {
    const { passwords } = inject("server");
    const kept = await database.sql("supabase_admin")<{ query: string }[]>`
      select query from extensions.pg_stat_statements where query ilike 'alter role%'
    `;
    expect(kept.filter(({ query }) => Object.values(passwords).some((each) => query.includes(each)))).toEqual(
      [],
    );
  });

  test("bootstrapping twice changes nothing", async () => {
    const { port, passwords } = inject("server");
    const before = await sql`select id, secret from vault.secrets`;
    await bootstrapDatabase(
      { passwords, url: (role) => databaseUrl(port, role, passwords, database.name) },
      database.name,
      { scheduler: false },
    );
    expect(await sql`select id, secret from vault.secrets`).toEqual(before);
  });
});

describe("the Vault stand-in", () => {
  async function keep(secret: string, name: string): Promise<string> {
    const [row] = await sql<{ id: string }[]>`select vault.create_secret(${secret}, ${name}) as id`;
    return row?.id ?? "";
  }

  test("gives a secret back to `postgres` and service_role, and rests as ciphertext", async () => {
    const id = await keep("grüße-to-hide", "given back");
    for (const role of ["postgres", "service_role"] as const) {
      expect(await database.sql(role)`select decrypted_secret from vault.decrypted_secrets where id = ${id}`)
        .toEqual([{ decrypted_secret: "grüße-to-hide" }]);
    }
    const [stored] =
      await sql`select secret, decode(secret, 'base64')::text as bytes from vault.secrets where id = ${id}`;
    expect(JSON.stringify(stored)).not.toContain(Buffer.from("to-hide").toString("hex"));
    expect(JSON.stringify(stored)).not.toContain("to-hide");
  });

  test("updates what is named and keeps the rest", async () => {
    const id = await keep("the-old-secret", "before");
    await sql`select vault.update_secret(${id}, 'the-new-secret')`;
    expect(
      await sql`select name, description, decrypted_secret from vault.decrypted_secrets where id = ${id}`,
    )
      .toEqual([{ name: "before", description: "", decrypted_secret: "the-new-secret" }]);
  });

  test("keeps names unique", async () => {
    await keep("kept-under-a-name", "unique");
    await expect(keep("kept-under-no-other", "unique")).rejects.toMatchObject({ code: "23505" });
  });

  test("opens no ciphertext on another row", async () => {
    const [from, to] = [await keep("mine-to-be-moved", "from"), await keep("yours-in-its-place", "to")];
    const admin = database.sql("supabase_admin");
    await admin`update vault.secrets set secret = (select secret from vault.secrets where id = ${from}) where id = ${to}`;
    await expect(sql`select decrypted_secret from vault.decrypted_secrets where id = ${to}`).rejects.toThrow(
      "another row",
    );
    await admin`delete from vault.secrets where id = ${to}`;
  });

  test("is closed to anon and authenticated, and its root key to everyone", async () => {
    for (const role of ["anon", "authenticated", "authenticator"] as const) {
      await expect(database.sql(role)`select * from vault.decrypted_secrets`).rejects.toMatchObject(denied);
      await expect(database.sql(role)`select vault.create_secret('x')`).rejects.toMatchObject(denied);
    }
    for (const role of ["postgres", "service_role"] as const) {
      await expect(database.sql(role)`select vault._root_key()`).rejects.toMatchObject(denied);
    }
  });
});

describe("the pg_cron and pg_net stand-ins", () => {
  let scheduled: TestDatabase;

  beforeAll(async () => {
    scheduled = await cloneDatabase("hosted_scheduler");
  });
  afterAll(() => scheduled.close());

  test("schedule by name replaces, unschedule removes, and both work for `postgres` alone", async () => {
    const cron = scheduled.sql("postgres");
    const [first] = await cron`select cron.schedule('wake', '5 seconds', 'select 1') as id`;
    const [second] = await cron`select cron.schedule('wake', '* * * * *', 'select 2') as id`;
    expect(second).toEqual(first);
    expect(await cron`select jobname, schedule, command, username, active from cron.job`).toEqual([
      { jobname: "wake", schedule: "* * * * *", command: "select 2", username: "postgres", active: true },
    ]);
    await expect(scheduled.sql("service_role")`select cron.schedule('x', '* * * * *', 'select 1')`)
      .rejects.toMatchObject(denied);
    expect(await cron`select cron.unschedule('wake')`).toEqual([{ unschedule: true }]);
    await expect(cron`select cron.unschedule('wake')`).rejects.toThrow("could not find valid entry");
  });

  test("http_post queues a JSON request with pg_net's defaults", async () => {
    const admin = scheduled.sql("supabase_admin");
    await scheduled.sql("postgres")`
      select net.http_post(url := 'http://127.0.0.1/wake', body := '{"a": 1}', headers := '{"apikey": "x"}')
    `;
    await scheduled.sql("postgres")`select net.http_post('http://127.0.0.1/', params := '{"q": "1"}')`;
    expect(
      await admin`
      select method, url, headers, convert_from(body, 'UTF8') as body, timeout_milliseconds from net.http_request_queue
      order by id
    `,
    ).toEqual([
      {
        method: "POST",
        url: "http://127.0.0.1/wake",
        headers: { apikey: "x" },
        body: '{"a": 1}',
        timeout_milliseconds: 5000,
      },
      {
        method: "POST",
        url: "http://127.0.0.1/?q=1",
        headers: { "Content-Type": "application/json" },
        body: "{}",
        timeout_milliseconds: 5000,
      },
    ]);
  });
});
