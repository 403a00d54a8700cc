import type { Sql, TransactionSql } from "postgres";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { type Caller, foundTenant, hashOf, rpc, send, signIn, type Tenant, worker } from "./tenant.ts";

interface Reference {
  constraint: string;
  table: string;
  column: string;
}

let database: TestDatabase;
let admin: Sql;
let acme: Tenant;

/** Every foreign key that points into Auth from outside; what each does then is a rule of the catalog (table-rules.ts). */
async function references(sql: Sql | TransactionSql): Promise<Reference[]> {
  return await sql<Reference[]>`
    select
      conname as constraint,
      conrelid::regclass::text as table,
      string_agg(attname, ', ') as column
    from pg_constraint
    join pg_class on pg_class.oid = confrelid
    join pg_attribute on attrelid = conrelid and attnum = any (conkey)
    where contype = 'f'
      and relnamespace = 'auth'::regnamespace
      and connamespace <> 'auth'::regnamespace
    group by pg_constraint.oid
    order by conname
  `;
}

/** How many rows of a table name the user in a column. */
async function naming({ table, column }: Reference, user: string): Promise<number> {
  const [row] = await admin.unsafe<{ count: number }[]>(
    `select count(*)::int as count from ${table} where ${column} = $1`,
    [user],
  );
  return row?.count ?? 0;
}

/** How many rows each table of ours has. */
async function census(): Promise<Record<string, number>> {
  const tables = await admin<{ name: string }[]>`
    select oid::regclass::text as name
    from pg_class
    where relkind in ('r', 'p') and relnamespace = 'mailpipe'::regnamespace
  `;
  const counts = await Promise.all(tables.map(async ({ name }) => {
    const [row] = await admin.unsafe<{ count: number }[]>(`select count(*)::int as count from ${name}`);
    return [name, row?.count ?? 0] as const;
  }));
  return Object.fromEntries(counts.sort());
}

/** Deletes a user the way Auth does: in one statement, as Auth's own role. */
async function deleteUser(id: string): Promise<void> {
  await admin.begin(async (transaction) => {
    await transaction`set local role supabase_auth_admin`;
    await transaction`delete from auth.users where id = ${id}`;
  });
}

/** Rotates a key as a session, whose name the successor bears. */
async function rotate(session: Caller, id: string): Promise<Record<string, unknown>> {
  return await rpc(database.sql("service_role"), "rotate_key", {
    p_caller: { ...session, environment: "live" },
    p_hash: hashOf(randomUUID()),
    p_last_four: "test",
    p_request: { id, overlap_seconds: 3600 },
  });
}

beforeAll(async () => {
  database = await cloneDatabase();
  admin = database.sql("supabase_admin");
  acme = await foundTenant(database, "Acme");
});
afterAll(() => database.close());

const api = () => database.sql("service_role");

describe("deleting a Supabase user never fails because of us", () => {
  test.each(["admin", "member", "viewer"])("nor of a user who is but %s", async (role) => {
    const { user_id } = await signIn(database, `${role}@acme.example`);
    await admin`insert into mailpipe.members values (${acme.organization_id}, ${user_id}, ${role})`;
    const before = await census();
    await deleteUser(user_id);
    expect(await census()).toEqual({ ...before, "mailpipe.members": (before["mailpipe.members"] ?? 0) - 1 });
  });

  test("the last owner, who issued and rotated the keys that are in use, is deleted; what was hers stays", async () => {
    const { id } = await rotate(acme.session, acme.key_id);
    await rpc(api(), "revoke_key", {
      p_caller: acme.session,
      p_request: { id, descendants: false, cancel_queued: false },
    });
    await rpc(api(), "create_invitation", {
      p_caller: acme.session,
      p_token_hash: hashOf(randomUUID()),
      p_request: { email: "next@acme.example", role: "admin" },
    });
    const message = await send(api(), acme.live, "kept");
    const found = await references(admin);
    for (const each of found) {
      // Whoever adds a foreign key seeds a row here that uses it.
      expect([each.constraint, await naming(each, acme.user_id)]).not.toEqual([each.constraint, 0]);
    }
    const before = await census();

    await deleteUser(acme.user_id);

    expect(await census()).toEqual({ ...before, "mailpipe.members": (before["mailpipe.members"] ?? 0) - 1 });
    for (const each of found) {
      expect([each.constraint, await naming(each, acme.user_id)]).toEqual([each.constraint, 0]);
    }
    expect(await rpc(api(), "get_message", { p_caller: acme.live, p_id: message })).toMatchObject({
      subject: "kept",
    });
  });

  test("she is nobody then, and the audit log still says what she did", async () => {
    await expect(rpc(api(), "list_keys", { p_caller: acme.session, p_request: { limit: 10 } }))
      .rejects.toMatchObject({ code: "PT401" });
    const told = await admin`
      select distinct action from mailpipe.audit where actor_id = ${acme.user_id} order by action
    `;
    expect(told.map(({ action }) => action)).toEqual(
      expect.arrayContaining(["key.issued", "organization.created"]),
    );
  });

  test("an organization without an owner is looked after: upkeep runs, a leaked key falls", async () => {
    const [key] = await admin<{ hash: string }[]>`
      select encode(hash, 'hex') as hash from mailpipe.api_keys where id = ${acme.key_id}
    `;
    await admin`update mailpipe.settings set notify_from = 'mail@acme.example'`;
    await rpc(api(), "report_leaked_keys", {
      p_caller: null,
      p_request: { key_hashes: [key?.hash], source_url: null, source_host: null, address: "192.0.2.9" },
    });
    await rpc(api(), "run_maintenance", { p_caller: worker });
    await expect(send(api(), acme.live, "refused")).rejects.toMatchObject({ code: "PT401" });
  });
});

test("a foreign key that held its user would be seen", async () => {
  const { user_id } = await signIn(database, "held@example.com");
  await admin.unsafe(`
    create table mailpipe.notes (user_id uuid constraint notes_user references auth.users (id));
    insert into mailpipe.notes values ('${user_id}');
  `);
  expect(await references(admin)).toContainEqual({
    constraint: "notes_user",
    table: "mailpipe.notes",
    column: "user_id",
  });
  await expect(deleteUser(user_id)).rejects.toMatchObject({ code: "23503" });
});
