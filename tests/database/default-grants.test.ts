import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import type { CatalogRule } from "./catalog-rule.ts";
import { footprint } from "./footprint.ts";
import { functionRules } from "./function-rules.ts";
import { definers, executables, heldGrants, lines, tableGrants } from "./grants.ts";
import { policyRules } from "./policy-rules.ts";
import { privilegeRules } from "./privilege-rules.ts";
import { tableRules } from "./table-rules.ts";

const rules = [...privilegeRules, ...tableRules, ...policyRules, ...functionRules];
const everybody = "anon, authenticated, service_role";
const kinds = ["tables", "functions", "sequences", "types", "schemas"];

/** What every project made before 30 Oct 2026 has, by name of each role. */
const hosted = ["postgres", "supabase_admin"].flatMap((role) =>
  ["tables", "functions", "sequences"].map((kind) =>
    `alter default privileges for role ${role} in schema public grant all on ${kind} to ${everybody};`
  )
).join("\n");

/** What a host app did to spare itself grants: for every schema there is and will be. */
const everywhere = kinds.map((kind) =>
  `alter default privileges for role postgres grant all on ${kind} to ${everybody};`
).join("\n");

/** Each rule's offences, under its sentence. */
async function findings(sql: Sql, held: CatalogRule[]): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {};
  for (const { sentence, query } of held) {
    const offences = await sql.unsafe<{ offence: string }[]>(query);
    if (offences.length > 0) found[sentence] = offences.map(({ offence }) => offence);
  }
  return found;
}

describe.each([
  ["grants in public by name, as hosted projects have them", hosted, rules],
  // The default itself is the host's; what it did to our objects is ours.
  ["grants everywhere by name", everywhere, rules.filter(({ query }) => !query.includes("pg_default_acl"))],
])("A36: in a database whose defaults are %s", (_, defaults, held) => {
  let database: TestDatabase;
  let sql: Sql;

  beforeAll(async () => {
    database = await cloneDatabase("hosted");
    sql = database.sql("postgres");
    await database.sql("supabase_admin").unsafe(defaults);
    await applyMigrations(database.url);
  });
  afterAll(() => database.close());

  test("the catalog's rules find nothing", async () => {
    expect(await findings(sql, held)).toEqual({});
  });

  test("nobody but our two roles holds anything, and they what the golden lists say", async () => {
    expect(await heldGrants(sql)).toEqual(lines(tableGrants));
    expect(await executables.read(sql)).toEqual(lines(executables.golden));
    expect(await definers.read(sql)).toEqual(lines(definers.golden));
  });

  test("a second application is refused by the first file, and changes nothing", async () => {
    const before = [await footprint(database.sql("supabase_admin")), await heldGrants(sql)];
    await expect(applyMigrations(database.url)).rejects.toThrow(
      /^migration 20261123000100_\w+\.sql failed.*schema "mailpipe" already exists/,
    );
    expect([await footprint(database.sql("supabase_admin")), await heldGrants(sql)]).toEqual(before);
    expect(await findings(sql, held)).toEqual({});
  });
});
