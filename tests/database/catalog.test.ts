import type { Sql, TransactionSql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { footprint } from "./footprint.ts";
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
async function after<Seen>(statements: string, look: (sql: TransactionSql) => Promise<Seen>): Promise<Seen> {
  let seen: { answer: Seen } | undefined;
  await sql.begin(async (transaction) => {
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

describe("promise 11: installed into a project that holds another app, nothing of that app changes", () => {
  const theirs = `
    create table public.orders (id int primary key);
    grant select on public.orders to anon;
    create function public.total() returns int language sql as 'select 1';
    create policy loose on storage.objects for select to authenticated using (true);
    alter default privileges for role postgres in schema public grant select on tables to authenticated;
  `;

  test.each(["hosted", "hosted_scheduler"] as const)("from %s", async (template) => {
    const host = await cloneDatabase(template);
    try {
      await host.sql("postgres").unsafe(theirs);
      const before = await footprint(host.sql("supabase_admin"));
      await applyMigrations(host.url);
      const afterwards = await footprint(host.sql("supabase_admin"));
      expect(before.filter((line) => !afterwards.includes(line))).toEqual([]);
      expect(afterwards.filter((line) => !before.includes(line))).toEqual([
        "bucket | mailpipe | f",
        "policy | storage.objects | mailpipe: nobody reaches our bucket with a browser's token | RESTRICTIVE" +
        " | {anon,authenticated} | ALL | (bucket_id <> 'mailpipe'::text) | (bucket_id <> 'mailpipe'::text)",
        "vault | mailpipe_master_key_v1_<uuid>",
        "vault | mailpipe_worker_secret",
      ]);
    } finally {
      await host.close();
    }
  });

  test.each([
    [
      "alter default privileges for role postgres revoke execute on functions from public",
      "default privileges",
    ],
    ["alter role postgres in database current set statement_timeout = '1s'", "setting"],
    ["grant usage on schema storage to mailpipe_worker", "schema | storage"],
    ["grant select on storage.objects to mailpipe_worker", "relation | storage.objects"],
    ["create function public.ours() returns int language sql as 'select 1'", "function | ours()"],
    [
      "create trigger ours before insert on auth.users for each row execute function suppress_redundant_updates_trigger()",
      "trigger | auth.users",
    ],
  ])("would show: %s", async (statement, line) => {
    const before = await footprint(sql);
    const statements = statement.replace("current set", `${database.name} set`);
    const seen = await after(statements, (transaction) => footprint(transaction as unknown as Sql));
    expect(seen.filter((each) => !before.includes(each)).join("\n")).toContain(line);
  });
});
