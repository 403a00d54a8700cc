import type { Sql, TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { footprint, missing } from "./footprint.ts";
import { functionRules } from "./function-rules.ts";
import { definers, executables, heldGrants, lines, tableGrants } from "./grants.ts";
import { policyRules } from "./policy-rules.ts";
import { privilegeRules } from "./privilege-rules.ts";
import { tableRules } from "./table-rules.ts";

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await cloneDatabase();
  sql = database.sql("postgres");
});
afterAll(() => database.close());

class Undo extends Error {}

/** What `look` sees after `statements`, which leave no trace. */
async function after<Seen>(
  statements: string,
  look: (sql: TransactionSql) => Promise<Seen>,
  as: Sql = sql,
): Promise<Seen> {
  let seen: { answer: Seen } | undefined;
  await as.begin(async (transaction) => {
    await transaction.unsafe(statements);
    seen = { answer: await look(transaction) };
    throw new Undo();
  }).catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error;
  });
  if (seen === undefined) throw new Error("nothing was looked at");
  return seen.answer;
}

async function offences(on: Sql | TransactionSql, query: string): Promise<string[]> {
  const found = await on.unsafe<{ offence: string }[]>(query);
  return found.map(({ offence }) => offence).sort();
}

describe.each([
  ["privileges", privilegeRules],
  ["tables", tableRules],
  ["policies", policyRules],
  ["functions", functionRules],
])("the catalog's %s", (_, rules) => {
  test.each(rules)("$sentence", async ({ query, offence, finds }) => {
    expect(await offences(sql, query)).toEqual([]);
    const seen = await after(offence, (transaction) => offences(transaction, query));
    expect(seen.join("\n")).toContain(finds);
  });
});

describe("the golden list", () => {
  test("says what our two roles may do with each table, column by column", async () => {
    expect(await heldGrants(sql)).toEqual(lines(tableGrants));
    const wider = await after("grant update (scopes) on mailpipe.api_keys to mailpipe_tenant", heldGrants);
    expect(wider).toContain("api_keys mailpipe_tenant insert select update(scopes)");
  });

  test("says which functions of the schema mailpipe each may execute", async () => {
    expect(await executables.read(sql)).toEqual(lines(executables.golden));
    const wider = await after(
      "grant execute on function mailpipe.create_data_key(text) to mailpipe_tenant",
      executables.read,
    );
    expect(wider).toContain("create_data_key tenant");
  });

  test("names each definer of the migrating role, which row-level security does not hold", async () => {
    expect(await definers.read(sql)).toEqual(lines(definers.golden));
    const wider = await after("alter function mailpipe.tell security definer", definers.read);
    expect(wider).toContain("tell");
  });
});

// What holds promise 11 (tests/install/neighbours.test.ts) sees whatever a migration could change of others.
describe("the footprint of a database", () => {
  test("names nothing of ours but a bucket, its policies and two secrets", async () => {
    const lines = await footprint(database.sql("supabase_admin"));
    expect(lines.filter((line) => /mailpipe/.test(line)).sort()).toEqual([
      "bucket | mailpipe | f",
      expect.stringMatching(/^policy \| storage\.buckets \| mailpipe: /),
      expect.stringMatching(/^policy \| storage\.objects \| mailpipe: /),
      expect.stringMatching(/^vault \| mailpipe_master_key_v1_/),
      "vault | mailpipe_worker_secret",
    ]);
  });

  test.each([
    [
      "alter default privileges for role postgres revoke execute on functions from public",
      "default privileges",
    ],
    [
      "alter default privileges for role postgres in schema public grant select on tables to anon",
      "default privileges",
    ],
    ["alter role postgres in database current set statement_timeout = '1s'", "setting | postgres | here"],
    ["alter role authenticator set statement_timeout = '1s'", "setting | authenticator | everywhere"],
    ["alter database current set timezone = 'Asia/Tokyo'", "setting | everyone | here"],
    ["alter role authenticated bypassrls", "role | authenticated"],
    ["grant pg_read_all_data to anon", "member | pg_read_all_data | anon"],
    ["grant create on database current to anon", "database | postgres"],
    ["grant usage on schema storage to mailpipe_worker", "schema | storage"],
    ["revoke usage on schema public from public", "schema | public"],
    ["grant select on storage.objects to mailpipe_worker", "relation | storage.objects"],
    ["alter table auth.users force row level security", "relation | auth.users"],
    ["grant select (email) on auth.users to mailpipe_tenant", "column | auth.users | email"],
    ["alter table storage.objects alter version set default 'x'", "column | storage.objects | version"],
    ["create index ours on auth.users (email)", "index | CREATE INDEX ours"],
    ["create sequence public.ours", "sequence | ours"],
    ["create view public.ours as select 1 as one", "view | ours"],
    ["create function public.ours() returns int language sql as 'select 1'", "function | ours()"],
    ["alter function auth.uid() security definer", "function | auth.uid()"],
    ["revoke execute on function auth.uid() from public", "function | auth.uid()"],
    ["create type public.ours as enum ('a')", "type | ours"],
    ["alter table auth.users add constraint ours check (email <> '') not valid", "constraint | auth.users"],
    [
      "create trigger ours before insert on auth.users for each row execute function suppress_redundant_updates_trigger()",
      "trigger | auth.users",
    ],
    ["alter table auth.sessions disable trigger all", "trigger | auth.sessions | D | sessions_user_id_fkey"],
    ["create policy ours on storage.objects to anon using (true)", "policy | storage.objects | ours"],
    ["create extension hstore with schema extensions", "extension | hstore"],
    ["alter event trigger refuse_changes_to_platform_schemas disable", "event trigger | refuse_changes"],
    ["create publication ours for table auth.users", "publication | ours"],
    [
      "alter publication supabase_realtime add table mailpipe.messages",
      "published | supabase_realtime | mailpipe",
    ],
    ["revoke usage on language plpgsql from public", "language | plpgsql"],
    ["create cast (text as bytea) with inout", "object | cast"],
    ["create operator public.=== (leftarg = text, rightarg = text, function = texteq)", "object | operator"],
    ["grant set on parameter log_statement to anon", "parameter | log_statement"],
    ["comment on schema public is 'ours'", "comment | schema | public | ours"],
    ["update storage.buckets set public = true", "bucket | mailpipe | t"],
    ["select lo_create(4711)", "large object | 4711"],
  ])("would show: %s", async (statement, line) => {
    const admin = database.sql("supabase_admin");
    const before = await footprint(admin);
    const statements = statement.replace(/\bcurrent\b/, database.name);
    const seen = await after(statements, (transaction) => footprint(transaction as unknown as Sql), admin);
    expect(missing(seen, before).join("\n")).toContain(line);
  });
});
