import { PostgrestClient } from "@supabase/postgrest-js";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath, resolve } from "node:path";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asUser, runInstallFile } from "../database/browsers.ts";
import { lines } from "../database/grants.ts";
import { type SeededTenant, seedTenant } from "../database/seeded-rows.ts";
import { type StoredTable, storedTables } from "../database/stored-tables.ts";
import { signIn } from "../database/tenant.ts";
import { type Api, type Session, signUp, startApi } from "../support/api.ts";
import { readSteps } from "./readme-block.ts";

/** What it takes to read rows of a table, beside being a member of their organization. */
const readable: [table: string, rows: string, need: string][] = [
  ["organizations", "all", "membership"],
  ["members", "her own", "membership"],
  ["mailboxes", "all", "mailboxes:read"],
  ["threads", "all", "mail:read"],
  ["messages", "all", "mail:read"],
  ["recipients", "all", "mail:read"],
  ["attachments", "all", "mail:read"],
  ["events", "of a message", "mail:read"],
  ["events", "others", "keys:read"],
  ["attempts", "of a message", "mail:read"],
  ["attempts", "others", "webhooks:read"],
  ["webhook_endpoints", "all", "webhooks:read"],
  ["deliveries", "all", "webhooks:read"],
  ["api_keys", "all", "keys:read"],
  ["key_usage", "all", "keys:read"],
  ["providers", "all", "providers:read"],
  ["audit", "all", "role owner"],
  ["audit_seals", "all", "role owner"],
];

/** Columns of those tables that no browser reads. A new column is closed: list it here or in the SQL file. */
const withheld = `
  api_keys           hash limited_by window_id
  attachments        storage_key
  audit_seals        hash lines_hash
  events             body thin_body
  messages           raw_key
  providers          credentials inbound_secret inbound_token_hash
  webhook_endpoints  headers previous_secret resume_at secret slots
`;

const roles = ["owner", "admin", "member", "viewer"] as const;
type Role = typeof roles[number];

const denied = {
  code: "42501",
  message: expect.stringMatching(/^permission denied for (table|view)/) as string,
};
const closed = { code: "42501", message: "permission denied for schema mailpipe" };

let api: Api;
let owner: Sql;
let acme: SeededTenant;
let zeta: SeededTenant;
let tables: StoredTable[];
let scopes: Record<Role, string[]>;
const users = {} as Record<Role, string>;

beforeAll(async () => {
  api = await startApi("mailpipe", ["mailpipe"]);
  owner = api.database.sql("postgres");
  acme = await seedTenant(api.database, "Acme");
  zeta = await seedTenant(api.database, "Zeta");
  for (const role of roles) users[role] = await memberOf(acme, role);
  const [row] = await owner<{ scopes: Record<Role, string[]> }[]>`
    select jsonb_object_agg(role, mailpipe.role_scopes(role)) as scopes from unnest(${[
    ...roles,
  ]}::text[]) as role
  `;
  if (row === undefined) throw new Error("role_scopes answered nothing");
  scopes = row.scopes;
  tables = await storedTables(api.database.sql("supabase_admin"));
});
afterAll(() => api.close());

async function memberOf({ organization_id }: SeededTenant, role: Role): Promise<string> {
  const { user_id } = await signIn(api.database, `${role}-${randomUUID()}@example.com`);
  await join(organization_id, user_id, role);
  return user_id;
}

async function join(organization_id: string, user_id: string, role: Role): Promise<void> {
  await owner`insert into mailpipe.members (organization_id, user_id, role)
    values (${organization_id}, ${user_id}, ${role})`;
}

/** Runs a statement as a browser's session does: role authenticated, claims for this transaction. */
async function asBrowser<Row>(user_id: string, statement: string, claims = {}): Promise<Row[]> {
  const connection = await api.database.sql("authenticated").reserve();
  try {
    await connection.unsafe(`begin; ${asUser(user_id, claims)}`);
    return await connection.unsafe<(Row & object)[]>(statement);
  } finally {
    await connection.unsafe("rollback");
    connection.release();
  }
}

const named = (name: string): StoredTable => {
  const table = tables.find((each) => each.name === name);
  if (table === undefined) throw new Error(`no table ${name}`);
  return table;
};
/** All but views, which take no rows from anybody. */
const written = () => tables.filter(({ place }) => place !== "null");
const open = [...new Set(readable.map(([table]) => table))];

async function seen(user_id: string, table: string, claims = {}): Promise<string[]> {
  const rows = await asBrowser<{ key: string }>(
    user_id,
    `select ${named(table).key} as key from mailpipe.${table} as it`,
    claims,
  );
  return rows.map(({ key }) => key).sort();
}

/** Every table a user sees a row of. */
async function seenAnywhere(user_id: string, claims = {}): Promise<string[]> {
  const found: string[] = [];
  for (const table of open) if ((await seen(user_id, table, claims)).length > 0) found.push(table);
  return found;
}

/** The keys of an organization's rows that a role should see, by its scopes. */
function expected(table: string, organization_id: string, role: Role, user_id: string): string[] {
  const needs = readable.filter(([name]) => name === table);
  return named(table).rows.filter(({ row }) => {
    const kind = row["message_id"] !== null && row["message_id"] !== undefined ? "of a message" : "others";
    const need = needs.find(([, rows]) => rows === "all" || rows === "her own" || rows === kind);
    const whose = table === "organizations" ? row["id"] : row["organization_id"];
    if (whose !== organization_id) return false;
    if (need?.[1] === "her own") return row["user_id"] === user_id;
    return need?.[2] === "membership" || need?.[2] === `role ${role}` ||
      scopes[role].includes(need?.[2] ?? "");
  }).map(({ key }) => key).sort();
}

/** Every privilege anybody but the owner has in the schema. */
function privileges(): Promise<unknown> {
  return owner`
    with held as (
      select 'schema' as name, nspacl as acl, nspowner as owner from pg_namespace where nspname = 'mailpipe'
      union all
      select relname, relacl, relowner from pg_class where relnamespace = 'mailpipe'::regnamespace
      union all
      select concat(relname, ' ', attname), attacl, relowner
      from pg_attribute
      join pg_class on pg_class.oid = attrelid
      where relnamespace = 'mailpipe'::regnamespace
    )
    select concat_ws(' ', name, grantee::regrole, privilege_type) as privilege
    from held
    cross join lateral aclexplode(acl)
    where grantee <> owner
    order by privilege
  `;
}

/** The README's own command, by the CLI. */
async function exposeAsTold(): Promise<void> {
  const home = mkdtempSync(joinPath(tmpdir(), "mailpipe-browsers-"));
  const quiet = { SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  const environment = { HOME: home, DATABASE_URL: api.database.url, ...quiet };
  const steps = await readSteps("browsers", resolve(import.meta.dirname, "../.."), environment);
  await steps.run(1).finally(() => rmSync(home, { recursive: true, force: true }));
}

const expose = () => runInstallFile(api.database, "expose-to-browsers.sql");
const hide = () => runInstallFile(api.database, "hide-from-browsers.sql");

describe("without the opt-in", () => {
  test.each(roles)("an organization's %s reaches nothing, not even the schema", async (role) => {
    for (const { name } of written()) {
      for (const statement of statementsOn(name)) {
        await expect(asBrowser(users[role], statement), statement).rejects.toMatchObject(closed);
      }
    }
  });

  test("the Data API refuses a session, though the operator exposed the schema", async () => {
    const { error, status } = await browserOf(await signedUp(acme, "owner")).from("messages").select("id");
    expect({ code: error?.code, status }).toEqual({ code: "42501", status: 403 });
  });
});

/** One statement a verb, each of which needs no more than the privilege to be refused. */
function statementsOn(table: string): string[] {
  return [
    `select from mailpipe.${table}`,
    ...writesOn(table),
  ];
}

function writesOn(table: string): string[] {
  const column = tables.find(({ name }) => name === table)?.columns[0] ?? "id";
  return [
    `insert into mailpipe.${table} default values`,
    `update mailpipe.${table} set ${column} = default`,
    `delete from mailpipe.${table}`,
    `truncate mailpipe.${table} cascade`,
  ];
}

async function signedUp({ organization_id }: SeededTenant, role: Role): Promise<Session> {
  const session = await signUp(api, `${role}-${randomUUID()}@example.com`);
  await join(organization_id, session.user_id, role);
  return session;
}

/** What a page does with supabase-js: the publishable key, its user's token, the schema by name. */
function browserOf({ access_token }: { access_token: string }) {
  const headers = { apikey: api.publishableKey, authorization: `Bearer ${access_token}` };
  return new PostgrestClient(`${api.url}/rest/v1`, { headers, schema: "mailpipe" });
}

describe("after the opt-in", () => {
  let before: unknown;

  beforeAll(async () => {
    before = await privileges();
    await exposeAsTold();
  });

  describe.each(roles)("%s", (role) => {
    test.each(open)("reads of %s what its scopes allow, of its own organization", async (table) => {
      expect(await seen(users[role], table))
        .toEqual(expected(table, acme.organization_id, role, users[role]));
    });

    test("reads no other table", async () => {
      for (const { name } of tables.filter((table) => !open.includes(table.name))) {
        await expect(asBrowser(users[role], `select from mailpipe.${name}`), name).rejects.toMatchObject(
          denied,
        );
      }
    });

    test("writes nothing", async () => {
      for (const { name } of written()) {
        for (const statement of writesOn(name)) {
          await expect(asBrowser(users[role], statement), statement).rejects.toMatchObject(denied);
        }
      }
    });
  });

  test("another organization's owner sees that one's rows, and who belongs to nobody none", async () => {
    for (const table of open) {
      expect(await seen(zeta.user_id, table)).toEqual(
        expected(table, zeta.organization_id, "owner", zeta.user_id),
      );
    }
    expect(await seenAnywhere(randomUUID())).toEqual([]);
  });

  test("who belongs to two organizations has in each the role she has there", async () => {
    const user_id = await memberOf(acme, "member");
    await join(zeta.organization_id, user_id, "owner");
    for (const table of ["messages", "api_keys", "audit", "attempts"]) {
      expect(await seen(user_id, table)).toEqual(
        [
          ...expected(table, acme.organization_id, "member", user_id),
          ...expected(table, zeta.organization_id, "owner", user_id),
        ].sort(),
      );
    }
  });

  test("a removed member reads nothing at the next call, and a new role counts at once", async () => {
    const user_id = await memberOf(acme, "owner");
    expect(await seenAnywhere(user_id)).toEqual(open);
    await owner`update mailpipe.members set role = 'member' where user_id = ${user_id}`;
    expect(await seenAnywhere(user_id)).toEqual(
      open.filter((table) =>
        expected(table, acme.organization_id, "member", user_id).length > 0 || table === "members"
      ),
    );
    await owner`delete from mailpipe.members where user_id = ${user_id}`;
    expect(await seenAnywhere(user_id)).toEqual([]);
  });

  test("an anonymous user reads nothing, though she is an owner", async () => {
    expect(await seenAnywhere(users.owner, { is_anonymous: true })).toEqual([]);
    expect(await seenAnywhere(users.owner, { is_anonymous: false })).toEqual(open);
  });

  test("nothing a token claims widens what a member reads", async () => {
    const claims = {
      organization_id: zeta.organization_id,
      app_metadata: { role: "owner", organization_id: zeta.organization_id },
      user_metadata: { role: "owner" },
      user_role: "owner",
    };
    expect(await seenAnywhere(users.member, claims)).toEqual(await seenAnywhere(users.member));
    const mine = expected("messages", acme.organization_id, "member", users.member);
    expect(await seen(users.member, "messages", claims)).toEqual(mine);
  });

  test("a session without a user, and the role anon, read nothing", async () => {
    const connection = await api.database.sql("authenticated").reserve();
    expect(await connection`select id from mailpipe.messages`).toEqual([]);
    connection.release();
    await expect(api.database.sql("anon")`select id from mailpipe.messages`).rejects.toMatchObject(closed);
  });

  test("columns that hold a secret, or what only functions reach, are refused by name and in filters", async () => {
    const found: string[] = [];
    for (const table of open) {
      const names: string[] = [];
      for (const column of named(table).columns) {
        const refused = await asBrowser(users.owner, `select ${column} from mailpipe.${table}`).then(
          () => undefined,
          (error: { code: string }) => error.code,
        );
        if (refused === "42501") names.push(column);
        else expect({ table, column, refused }).toEqual({ table, column, refused: undefined });
      }
      if (names.length > 0) found.push([table, ...names.sort()].join(" "));
    }
    expect(found.sort()).toEqual(lines(withheld));
    await expect(asBrowser(users.owner, "select id from mailpipe.api_keys where hash is not null")).rejects
      .toMatchObject(denied);
  });

  test("no column of bytes is readable, nor one named like a secret", async () => {
    expect(
      await owner`
        select concat_ws(' ', attrelid::regclass, attname) as column
        from pg_attribute
        join pg_class on pg_class.oid = attrelid
        where relnamespace = 'mailpipe'::regnamespace
          and has_column_privilege('authenticated', attrelid, attnum, 'select')
          and (atttypid = 'bytea'::regtype or attname ~ 'hash$|secret|token|credential|cipher|sealed|wrapped|_key$'
            and attname not in ('subject_key', 'issued_by_key', 'rotated_by_key', 'previous_secret_until'))
      `,
    ).toEqual([]);
  });

  test("a query reads membership once and looks rows up by their organization", async () => {
    for (const table of open.filter((name) => name !== "members")) {
      const connection = await api.database.sql("authenticated").reserve();
      await connection.unsafe(`begin; ${asUser(users.owner)}; set local enable_seqscan = off`);
      const plan = await connection.unsafe<{ "QUERY PLAN": string }[]>(
        `explain select ${named(table).key} from mailpipe.${table} as it`,
      ).finally(() => connection.unsafe("rollback"));
      connection.release();
      const text = plan.map((line) => line["QUERY PLAN"]).join("\n");
      expect(text, table).toMatch(/Index Cond: \(+(organization_id|id) = ANY/);
      expect(text, table).not.toContain("SubPlan");
    }
  });

  test("it may be run again, and takes back what was granted beside it", async () => {
    const after = await privileges();
    await owner.unsafe("grant select, update on mailpipe.api_keys, mailpipe.data_keys to authenticated");
    await expose();
    expect(await privileges()).toEqual(after);
  });

  describe("through the Data API", () => {
    let page: ReturnType<typeof browserOf>;
    let session: Session;

    beforeAll(async () => {
      session = await signedUp(acme, "viewer");
      page = browserOf(session);
    });

    test("a page reads its organization's rows and the rows behind them", async () => {
      const { data } = await page.from("messages").select("id, subject, recipients (email)").order("id");
      const keys = (data ?? []).map(({ id }) => JSON.stringify([id])).sort();
      expect(keys).toEqual(expected("messages", acme.organization_id, "viewer", session.user_id));
      expect(data?.[0]).toMatchObject({ subject: "seeded", recipients: [{ email: "seeded@acme.example" }] });
      expect((await page.from("api_keys").select("id")).data).toEqual([]);
    });

    test.each<[string, () => PromiseLike<{ error: { code: string } | null; status: number }>]>([
      ["a secret column", () => page.from("webhook_endpoints").select("secret")],
      [
        "a secret column in a filter",
        () => page.from("providers").select("id").not("credentials", "is", null),
      ],
      [
        "a secret column of what lies behind",
        () => page.from("deliveries").select("id, webhook_endpoints (secret)"),
      ],
      ["a closed table", () => page.from("data_keys").select("organization_id")],
      ["an insert", () => page.from("mailboxes").insert({ address: "mine@acme.example" })],
      ["an update", () => page.from("members").update({ role: "owner" }).eq("user_id", session.user_id)],
      ["a delete", () => page.from("messages").delete().neq("id", "")],
      ["a function", () => page.rpc("role_scopes", { p_role: "owner" })],
    ])("refuses %s", async (_, attempt) => {
      const { error, status } = await attempt();
      expect({ code: error?.code, status }).toEqual({ code: "42501", status: 403 });
    });

    test("refuses a request without a session, and one with the secret key", async () => {
      for (const access_token of [api.publishableKey, api.secretKey]) {
        const { error } = await browserOf({ access_token }).from("messages").select("id");
        expect(error?.code).toBe("42501");
      }
    });

    test("a member who was removed reads nothing with the token she had", async () => {
      await owner`delete from mailpipe.members where user_id = ${session.user_id}`;
      expect((await page.from("messages").select("id")).data).toEqual([]);
    });
  });

  test("hide-from-browsers.sql leaves every privilege as it was before", async () => {
    await hide();
    await hide();
    expect(await privileges()).toEqual(before);
    await expect(asBrowser(users.owner, "select id from mailpipe.messages")).rejects.toMatchObject(closed);
  });
});

test("the Data API does not serve the schema where the operator has not exposed it", async () => {
  const other = await startApi();
  try {
    const client = new PostgrestClient(`${other.url}/rest/v1`, {
      headers: { apikey: other.secretKey, authorization: `Bearer ${other.secretKey}` },
      schema: "mailpipe",
    });
    const { error } = await client.from("messages").select("id");
    expect(error?.code).toBe("PGRST106");
  } finally {
    await other.close();
  }
});
