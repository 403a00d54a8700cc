import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { type ActorName, actors, cells, columns, heldByNobody, verbs } from "./access-matrix.ts";
import { type Actor, attempt, trial } from "./access-trial.ts";
import { asUser, runInstallFile } from "./browsers.ts";
import { callables, executable } from "./execution-trial.ts";
import { executables, lines } from "./grants.ts";
import { type SeededTenant, seedTenant } from "./seeded-rows.ts";
import { circles, type StoredTable, storedTables } from "./stored-tables.ts";

let database: TestDatabase;
let owner: Sql;
let acme: SeededTenant;
let tables: StoredTable[];

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  acme = await seedTenant(database, "Acme");
  await seedTenant(database, "Zeta");
  tables = await storedTables(database.sql("supabase_admin"));
});
afterAll(() => database.close());

const names = Object.keys(actors) as ActorName[];

function pinOf(name: ActorName): string {
  if (name === "tenant") return `select mailpipe.authenticate('${JSON.stringify(acme.live)}', 'caller')`;
  if (name === "worker") return `select mailpipe.authenticate('{"project_secret": true}', 'worker')`;
  return asUser(acme.user_id);
}

/** Does `act` as somebody, over a connection that is her role. */
async function as<Seen>(name: ActorName, act: (actor: Actor) => Promise<Seen>): Promise<Seen> {
  const connection = await database.sql(actors[name]).reserve();
  const { organization_id, user_id } = acme;
  const me = { organization_id, user_id, environment: "live", pin: pinOf(name), role: actors[name] };
  return await act({ ...me, connection, prepared: name === "tenant" || name === "worker" })
    .finally(() => connection.release());
}

/** The actor's part of the matrix as it is performed, on these tables. */
function performed(name: ActorName, on: StoredTable[] = tables): Promise<string[]> {
  return as(name, async (actor) => {
    const found: string[] = [];
    for (const table of on) {
      const words: string[] = [];
      for (const verb of verbs) words.push(await attempt(verb, table, actor));
      found.push([table.name, name, ...words].join(" "));
    }
    return found;
  });
}

const written = (name: ActorName) => cells().filter((line) => line.split(" ")[1] === name);

async function column(query: string): Promise<string[]> {
  const rows = await owner.unsafe<{ it: string }[]>(query);
  return rows.map(({ it }) => it).sort();
}

describe("the access matrix is complete:", () => {
  const headed = () => cells().map((line) => line.split(" ").slice(0, 2).join(" "));
  const crossed = (among: { name: string }[]) =>
    among.flatMap((table) => names.map((name) => `${table.name} ${name}`)).sort();

  test("one line for each table and actor there is, and none for what is not", async () => {
    expect(headed()).toEqual(crossed(tables));
    await owner.unsafe("create view mailpipe.fresh as select 1 as one");
    const more = await storedTables(database.sql("supabase_admin"));
    await owner.unsafe("drop view mailpipe.fresh");
    expect(crossed(more).filter((line) => !headed().includes(line))).toContain("fresh tenant");
  });

  test("every role that holds anything or is named by a policy, and every role of the Data API", async () => {
    const holders = await column(`
      with acls as (
        select relacl as acl, relowner as owner from pg_class where relnamespace = 'mailpipe'::regnamespace
        union all
        select attacl, relowner from pg_attribute join pg_class on pg_class.oid = attrelid
        where relnamespace = 'mailpipe'::regnamespace
        union all
        select nspacl, nspowner from pg_namespace where nspname in ('mailpipe', 'mailpipe_api')
        union all
        select proacl, proowner from pg_proc
        where pronamespace in ('mailpipe'::regnamespace, 'mailpipe_api'::regnamespace)
      )
      select distinct case grantee when 0 then 'public' else grantee::regrole::text end as it
      from acls
      cross join lateral aclexplode(acl)
      where grantee <> owner
      union
      select distinct unnest(roles)::text from pg_policies where schemaname in ('mailpipe', 'mailpipe_api')
      union
      select roleid::regrole::text from pg_auth_members where member = 'authenticator'::regrole`);
    expect(holders).toEqual([...new Set<string>(Object.values(actors))].sort());
  });

  test("every verb Postgres knows, but for those that nobody holds", async () => {
    expect(columns).toEqual(verbs);
    const known = await column(
      "select lower(privilege_type) as it from aclexplode(acldefault('r', 'postgres'::regrole))",
    );
    expect([...verbs, ...heldByNobody].sort()).toEqual(known);
    const roles = Object.values(actors).map((role) => `'${role}'`).join(", ");
    expect(
      await column(`
      select concat_ws(' ', rolname, held, relname) as it
      from pg_class
      cross join pg_roles
      cross join unnest(array['${heldByNobody.join("', '")}']) as held
      where relnamespace = 'mailpipe'::regnamespace
        and relkind in ('r', 'p', 'v', 'm', 'f')
        and rolname in (${roles})
        and has_table_privilege(pg_roles.oid, pg_class.oid, held)`),
    ).toEqual([]);
  });

  test("every table holds rows by which its words can be told apart", () => {
    const me = { organization_id: acme.organization_id, environment: "live", user_id: acme.user_id };
    const blurred = tables.flatMap((table) => {
      const found = circles(table, me).map(([, keys]) => keys.join("\n"));
      return new Set(found).size === found.length ? [] : [`seeded-rows.ts: too few rows of ${table.name}`];
    });
    expect(blurred).toEqual([]);
  });
});

const outside: ActorName[] = ["anon", "authenticated", "service_role"];
const ours: ActorName[] = ["tenant", "worker"];

describe("each cell of the access matrix, performed", () => {
  test.each([...outside, ...ours])("as %s", async (name) => {
    expect(await performed(name)).toEqual(written(name));
  });

  test.each(ours)("as %s before it is pinned: no row of any table", async (name) => {
    const seen = await as(name, async (actor) => {
      const words: string[] = [];
      for (const table of tables) {
        for (const verb of ["select", "update", "delete"] as const) {
          words.push(await attempt(verb, table, { ...actor, pin: "" }));
        }
      }
      return new Set(words);
    });
    expect([...seen].sort()).toEqual(["-", "none"]);
  });

  test.each<[string, string, string, ActorName, string]>([
    [
      "grant truncate on mailpipe.audit to mailpipe_worker",
      "revoke truncate on mailpipe.audit from mailpipe_worker",
      "audit",
      "worker",
      "audit worker - all - - all",
    ],
    [
      'drop policy "the tenant fence around jobs" on mailpipe.jobs',
      `create policy "the tenant fence around jobs" on mailpipe.jobs as restrictive for all to mailpipe_tenant
        using (organization_id = (select current_setting('mailpipe.organization_id', true))
          and environment = (select current_setting('mailpipe.environment', true)))`,
      "jobs",
      "tenant",
      "jobs tenant org org org org -",
    ],
    [
      'alter policy "a worker adds to the audit log" on mailpipe.audit with check (false)',
      `alter policy "a worker adds to the audit log" on mailpipe.audit
        with check ((select current_setting('mailpipe.worker', true)) = 'on')`,
      "audit",
      "worker",
      "audit worker - none - - -",
    ],
    [
      "grant usage on schema mailpipe to service_role; grant delete on mailpipe.jobs to service_role",
      "revoke usage on schema mailpipe from service_role; revoke delete on mailpipe.jobs from service_role",
      "jobs",
      "service_role",
      "jobs service_role - - - allowed -",
    ],
  ])("would show: %s", async (change, undo, table, name, line) => {
    await owner.unsafe(change);
    try {
      expect(await performed(name, tables.filter((each) => each.name === table))).toEqual([line]);
    } finally {
      await owner.unsafe(undo);
    }
  });
});

/** The functions of a schema by those who may execute them: `name tenant worker`. */
async function executed(schema: string, by: ActorName[]): Promise<string[]> {
  const functions = (await callables(owner)).filter((each) => each.schema === schema);
  const held = new Map<string, string[]>();
  for (const name of by) {
    for (const each of await as(name, ({ connection }) => executable(connection, functions))) {
      held.set(each.name, [...held.get(each.name) ?? [], name]);
    }
  }
  return [...held].map(([name, who]) => [name, ...who].join(" ")).sort();
}

describe("each function, called as each role", () => {
  test("of the schema mailpipe: by our two roles as the golden list says, and by nobody else", async () => {
    expect(await executed("mailpipe", [...outside, ...ours])).toEqual(lines(executables.golden));
  });

  test("of the schema mailpipe_api: by service_role, and by nobody else", async () => {
    const all = (await callables(owner)).filter(({ schema }) => schema === "mailpipe_api");
    expect(all.length).toBeGreaterThan(30);
    expect(await executed("mailpipe_api", [...outside, ...ours]))
      .toEqual(all.map(({ name }) => `${name} service_role`));
  });
});

describe("after the opt-in for browsers", () => {
  beforeAll(() => runInstallFile(database, "expose-to-browsers.sql"));

  test("a member reads what is her organization's, and does nothing else", async () => {
    expect(await performed("member")).toEqual(written("member"));
  });

  test("nobody else gains anything", async () => {
    for (const name of ["anon", "service_role"] as const) {
      expect(await performed(name)).toEqual(written(name));
    }
    const token = await as(
      "authenticated",
      (actor) =>
        trial(
          { ...actor, pin: asUser("00000000-0000-4000-8000-000000000000") },
          (sql) => sql.unsafe("select id from mailpipe.messages"),
        ),
    );
    expect(token).toEqual([]);
  });

  test("a member executes no function", async () => {
    expect(await executed("mailpipe", ["member"])).toEqual([]);
    expect(await executed("mailpipe_api", ["member"])).toEqual([]);
  });
});
