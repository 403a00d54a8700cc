import { afterEach, describe, expect, test } from "vitest";
import { pushMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type Template, type TestDatabase } from "./database.ts";

const open: TestDatabase[] = [];

async function clone(template: Template): Promise<TestDatabase> {
  const database = await cloneDatabase(template);
  open.push(database);
  return database;
}

afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
});

/** Every object of ours with its owner and privileges, as the database itself describes them. */
function ours(database: TestDatabase) {
  return database.sql("postgres")`
    select 'function' as kind, p.oid::regprocedure::text as name, p.proowner::regrole::text as owner,
           p.proacl::text as acl, md5(pg_get_functiondef(p.oid)) as body
    from pg_proc p
    where p.pronamespace in (select oid from pg_namespace where nspname like 'mailpipe%')
    union all
    select 'relation', c.oid::regclass::text, c.relowner::regrole::text, c.relacl::text, c.relkind::text
    from pg_class c
    where c.relnamespace in (select oid from pg_namespace where nspname like 'mailpipe%')
    order by 1, 2
  `;
}

describe("the migrations", () => {
  test("apply with the real CLI as the non-superuser `postgres`, and a second push finds nothing to do", async () => {
    const database = await clone("hosted");
    expect(await pushMigrations(database.url)).toContain("Finished supabase db push");
    expect(await pushMigrations(database.url)).toContain("up to date");
  });

  test("leave the same database whether pushed or applied by the tests' faster way", async () => {
    const pushed = await clone("hosted");
    await pushMigrations(pushed.url);
    expect(await ours(pushed)).toEqual(await ours(await clone("mailpipe")));
  });

  test("apply where pg_cron and pg_net exist", async () => {
    const database = await clone("hosted_scheduler");
    await pushMigrations(database.url);
    expect(await database.sql("postgres")`select jobname from cron.job`).not.toHaveLength(0);
  });

  test("are refused by a database with a foreign history, in the CLI's words", async () => {
    const database = await clone("hosted");
    await database.sql("postgres").unsafe(`
      create schema supabase_migrations;
      create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
      insert into supabase_migrations.schema_migrations values ('20200101000000', null, 'theirs');
    `);
    await expect(pushMigrations(database.url)).rejects.toThrow(/supabase db push failed[^]*20200101000000/);
  });
});
