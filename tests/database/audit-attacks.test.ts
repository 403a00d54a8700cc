import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { rewrite } from "./careless.ts";
import { foundTenant, hashOf, rpc, type Tenant } from "./tenant.ts";

const denied = { code: "42501" };

let database: TestDatabase;
let owner: Sql;
let acme: Tenant;
let zeta: Tenant;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  [acme, zeta] = [await foundTenant(database, "Acme"), await foundTenant(database, "Zeta")];
});
afterAll(() => database.close());

const line = "(organization_id, actor_kind, actor_id, action) values ('org_x', 'key', 'x', 'key.issued')";

/** Ways around a log that is only added to; update, delete, truncate and merge are in tests/functions/audit.test.ts. */
const around = [
  `insert into mailpipe.audit ${line} on conflict (id) do update set action = 'a.b'`,
  "insert into mailpipe.audit_seals select * from mailpipe.audit_seals on conflict do nothing",
  "merge into mailpipe.audit_seals as a using (values (1)) as v on true when matched then update set lines = 0",
  "with gone as (delete from mailpipe.audit returning 1) select * from gone",
  "select * from mailpipe.audit for update",
  "copy mailpipe.audit to program 'true'",
  "copy mailpipe.audit from program 'true'",
  "alter table mailpipe.audit disable trigger all",
  "alter table mailpipe.audit disable row level security",
  "alter table mailpipe.audit no force row level security",
  "alter table mailpipe.audit drop constraint audit_pkey",
  "alter table mailpipe.audit rename to log",
  "alter table mailpipe.audit set unlogged",
  "alter sequence mailpipe.audit_position_seq restart",
  "select setval('mailpipe.audit_position_seq', 1)",
  "drop table mailpipe.audit",
  "do 'begin lock table mailpipe.audit in access exclusive mode; end'",
  "create rule silent as on insert to mailpipe.audit do instead nothing",
  "create trigger silent before insert on mailpipe.audit for each row execute function suppress_redundant_updates_trigger()",
  `create policy silent on mailpipe.audit for delete to public using (organization_id = 'x')`,
  "create index on mailpipe.audit (detail)",
  "create function mailpipe.record() returns int language sql as 'select 1'",
  "alter function mailpipe.record_audit(mailpipe.caller, text, text, jsonb) reset all",
  "select mailpipe.seal_audit()",
  "select mailpipe.drop_audit()",
  "set session_replication_role = 'replica'",
  "alter role current_user set session_replication_role = 'replica'",
  "set log_statement = 'none'",
  "reassign owned by postgres to current_user",
  "drop owned by postgres",
];

describe.each(["anon", "authenticated", "service_role", "authenticator", "mailpipe_tenant"] as const)(
  "A39, A7: as %s",
  (role) => {
    test.each(around)("no: %s", async (statement) => {
      await expect(database.sql(role).unsafe(statement)).rejects.toMatchObject(denied);
    });
  },
);

describe("A39: as mailpipe_worker, which seals and drops what is due,", () => {
  test.each(around.filter((statement) => !/seal_audit\(\)|drop_audit\(\)/.test(statement)))(
    "no: %s",
    async (statement) => {
      await expect(database.sql("mailpipe_worker").unsafe(statement)).rejects.toMatchObject(denied);
    },
  );

  test("sealing and dropping take what an hour and a retention made due, and no line of now", async () => {
    const before = await owner`select id, seal from mailpipe.audit order by id`;
    expect(before.length).toBeGreaterThan(0);
    await database.sql("mailpipe_worker").begin(async (transaction) => {
      await transaction`select set_config('mailpipe.worker', 'on', true)`;
      await transaction`select mailpipe.seal_audit()`;
      await transaction`select mailpipe.drop_audit()`;
    });
    expect(await owner`select id, seal from mailpipe.audit order by id`).toEqual(before);
  });
});

describe("A39: a careless function of ours", () => {
  test("writes no line for another organization", async () => {
    const careless = await rewrite(
      database,
      `perform mailpipe.authenticate(p_caller, 'caller');
      insert into mailpipe.audit (organization_id, actor_kind, actor_id, action)
      values ('${zeta.organization_id}', 'key', 'x', 'key.issued');
      return null;`,
    );
    await expect(careless(acme.live)).rejects.toMatchObject(denied);
  });

  test.each([
    ["id", "'aud_00000000000000000000000000'"],
    ["created_at", "'2001-01-01'"],
    ["seal", "1"],
    ["position", "1"],
  ])("chooses no line's %s", async (column, value) => {
    const careless = await rewrite(
      database,
      `perform mailpipe.authenticate(p_caller, 'caller');
      insert into mailpipe.audit (organization_id, actor_kind, actor_id, action, ${column})
      overriding system value
      values ('${acme.organization_id}', 'key', 'x', 'key.issued', ${value});
      return null;`,
    );
    await expect(careless(acme.live)).rejects.toMatchObject(denied);
  });
});

describe("A39: what cannot be written down does not happen:", () => {
  const keys = () => owner`select id, revoked_at, expires_at from mailpipe.api_keys order by id`;

  beforeAll(() =>
    owner.unsafe("alter table mailpipe.audit add constraint audit_full check (action !~ '^key') not valid")
  );
  afterAll(() => owner.unsafe("alter table mailpipe.audit drop constraint audit_full"));

  test.each<[string, string, () => Record<string, unknown>]>([
    ["no key is issued", "issue_key", () => ({
      p_hash: hashOf(randomUUID()),
      p_last_four: "last",
      p_request: { name: "k", environment: "live", scopes: ["mail:read"] },
    })],
    ["no key is rotated", "rotate_key", () => ({
      p_hash: hashOf(randomUUID()),
      p_last_four: "last",
      p_request: { id: acme.key_id, overlap_seconds: 0 },
    })],
    ["no key is revoked", "revoke_key", () => ({ p_request: { id: acme.key_id, descendants: true } })],
    ["no keys are revoked by a filter", "revoke_keys", () => ({
      p_request: { filter: { environment: "live" }, descendants: true, dry_run: false, include_self: true },
    })],
  ])("%s", async (_, name, args) => {
    const before = await keys();
    await expect(rpc(database.sql("service_role"), name, { p_caller: acme.session, ...args() })).rejects
      .toMatchObject({ code: "23514", constraint_name: "audit_full" });
    expect(await keys()).toEqual(before);
  });
});
