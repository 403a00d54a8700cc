import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newWebhookSecret } from "../../shared/signature.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { rewrite as rewriteIn } from "./careless.ts";
import { lines, tableGrants } from "./grants.ts";
import { type Caller, foundTenant, rpc, send, signIn, type Tenant, worker } from "./tenant.ts";

const denied = { code: "42501" };

let database: TestDatabase;
let owner: Sql;
let service: Sql;
let acme: Tenant;
let zeta: Tenant;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  service = database.sql("service_role");
  [acme, zeta] = [await foundTenant(database, "Acme"), await foundTenant(database, "Zeta")];
  for (const tenant of [acme, zeta]) {
    await send(service, tenant.live, "live", "once");
    await send(service, tenant.test, "test", "once");
    for (const p_caller of [tenant.live, tenant.test]) {
      await rpc(service, "create_mailbox", { p_caller, p_request: { address: "in@acme.example" } });
    }
    const webhook = {
      ...{ url: "https://example.com/", events: ["*"], secret: newWebhookSecret() },
      ...{ thin: false, max_concurrent: 10 },
    };
    await rpc(service, "create_webhook", { p_caller: tenant.session, p_request: webhook });
    const claim = { p_caller: worker, p_limit: 50, p_message_id: null };
    for (
      const { job_id, fence } of await rpc<{ job_id: string; fence: number }[]>(
        service,
        "claim_messages",
        claim,
      )
    ) {
      await rpc(service, "begin_attempt", { p_caller: worker, p_job_id: job_id, p_fence: fence });
    }
  }
});
afterAll(() => database.close());

/** Every table mailpipe_tenant may read. */
const readable = [
  ...new Set(
    lines(tableGrants).filter((line) => /^\w+ mailpipe_tenant .*select/.test(line)).map((line) =>
      line.split(" ")[0] ?? ""
    ),
  ),
];

const rewrite = (body: string) => rewriteIn(database, body);

const everything = `return jsonb_build_object(${
  readable.map((name) => `'${name}', (select coalesce(jsonb_agg(row), '[]') from mailpipe.${name} as row)`)
    .join(", ")
});`;

type Rows = Record<string, { organization_id?: string; id?: string; environment?: string | null }[]>;

describe("promise 6: no tenant reaches another's rows, even through an API function whose WHERE clause was forgotten", () => {
  test("one tenant and one environment come out of every table", async () => {
    const careless = await rewrite(`perform mailpipe.authenticate(p_caller, 'caller'); ${everything}`);
    for (
      const [caller, tenant, environment] of [
        [acme.live, acme, "live"],
        [acme.test, acme, "test"],
        [zeta.session, zeta, "live"],
      ] as const
    ) {
      const seen = await careless(caller) as Rows;
      for (const [table, rows] of Object.entries(seen)) {
        const whose = rows.map((row) => (table === "organizations" ? row.id : row.organization_id));
        expect({ table, whose: [...new Set(whose)].filter((id) => id !== tenant.organization_id) })
          .toEqual({ table, whose: [] });
        const where = rows.map((row) => row.environment ?? environment).filter((name) =>
          name !== environment
        );
        expect({ table, where: table === "audit" ? [] : where }).toEqual({ table, where: [] });
      }
      for (
        const table of [
          "messages",
          "recipients",
          "threads",
          "jobs",
          "events",
          "mailboxes",
          "api_keys",
          "attempts",
        ]
      ) {
        expect({ table, rows: seen[table]?.length }).not.toEqual({ table, rows: 0 });
      }
    }
  });

  test("the careless function is still mailpipe_tenant's, and service_role's alone to execute", async () => {
    await rewrite(everything);
    const [row] = await owner`
      select proowner::regrole::text as owner, proacl::text as acl from pg_proc where proname = 'get_message'
    `;
    expect(row).toEqual({
      owner: "mailpipe_tenant",
      acl: "{mailpipe_tenant=X/mailpipe_tenant,service_role=X/mailpipe_tenant}",
    });
  });

  test("a function that forgot to authenticate sees nothing at all", async () => {
    const open = await rewrite(everything);
    expect(Object.values(await open(acme.live) as Rows).flat()).toEqual([]);
  });

  test("a change without a WHERE clause stays at home", async () => {
    const careless = await rewrite(`
      perform mailpipe.authenticate(p_caller, 'caller');
      update mailpipe.mailboxes set display_name = 'mine';
      delete from mailpipe.jobs;
      return null;
    `);
    const jobs = () => owner`select organization_id, environment from mailpipe.jobs order by 1, 2`;
    const before = await jobs();
    await careless(acme.test);
    expect(
      await owner`select organization_id, environment from mailpipe.mailboxes where display_name = 'mine'`,
    )
      .toEqual([{ organization_id: acme.organization_id, environment: "test" }]);
    expect(await jobs()).toEqual(
      before.filter((job) =>
        job["organization_id"] !== acme.organization_id || job["environment"] !== "test"
      ),
    );
  });

  test.each([
    ["another organization", () => [zeta.organization_id, "live"]],
    ["the other environment", () => [acme.organization_id, "test"]],
  ])("nothing can be written for %s", async (_, values) => {
    const [organization, environment] = values();
    const careless = await rewrite(`
      perform mailpipe.authenticate(p_caller, 'caller');
      insert into mailpipe.mailboxes (organization_id, environment, address)
      values ('${organization}', '${environment}', 'planted@acme.example');
      return null;
    `);
    await expect(careless(acme.live)).rejects.toMatchObject(denied);
  });

  test("a tenant function cannot open a secret, read Vault or leave the schema", async () => {
    for (
      const body of [
        "perform mailpipe.unseal(organization_id, 'providers', id, 'credentials', credentials) from mailpipe.providers;",
        "perform mailpipe.row_key('a', 'b', 'c', 'd');",
        "perform decrypted_secret from vault.decrypted_secrets;",
        "perform email from auth.users;",
        "perform name from storage.objects;",
        "perform extensions.gen_random_bytes(1);",
        "update mailpipe.api_keys set scopes = '{keys:write}';",
        "update mailpipe.api_keys set revoked_at = null;",
        "update mailpipe.api_keys set expires_at = null, exposed_at = null, honey = false;",
        "delete from mailpipe.api_keys;",
        "perform count(*) from mailpipe.rate_windows;",
        "perform count(*) from mailpipe.key_uses;",
        "perform mailpipe.fell_keys(null, null, null, true, true);",
        "perform mailpipe.take('x', 'x', null, 1);",
        "perform mailpipe.set_tier(null, 'none');",
        "delete from mailpipe.audit_seals;",
        "update mailpipe.messages set organization_id = '';",
        "delete from mailpipe.audit;",
        "update mailpipe.audit set action = 'a.b';",
        "perform organization_creation from mailpipe.settings;",
      ]
    ) {
      const careless = await rewrite(
        `perform mailpipe.authenticate(p_caller, 'caller'); ${body} return null;`,
      );
      await expect(careless(acme.live), body).rejects.toMatchObject(denied);
    }
  });
});

describe("a key for some mailboxes", () => {
  test("reaches these and their mail alone, even through a careless function, and sends what it sent", async () => {
    const [row] = await owner<{ id: string }[]>`
      select id from mailpipe.mailboxes where organization_id = ${acme.organization_id} and environment = 'test'
    `;
    const p_hash = randomUUID().replaceAll("-", "").repeat(2);
    const made = await rpc<{ data: { id: string }[] } & { id: string }>(service, "issue_key", {
      p_caller: { ...acme.session, environment: "test" },
      p_hash,
      p_last_four: "last",
      p_request: {
        name: "fenced",
        environment: "test",
        scopes: ["mail:send", "mail:read", "mailboxes:read"],
        fences: { mailboxes: [row?.id] },
      },
    });
    expect(made.id).toMatch(/^key_/);
    await rpc(service, "create_mailbox", {
      p_caller: acme.test,
      p_request: { address: "else@acme.example" },
    });
    const careless = await rewrite(`
      perform mailpipe.authenticate(p_caller, 'caller');
      update mailpipe.mailboxes set display_name = 'mine';
      return jsonb_build_object(
        'mailboxes', (select jsonb_agg(id) from mailpipe.mailboxes),
        'messages', (select count(*) from mailpipe.messages)
      );
    `);
    expect(await careless({ key_hash: p_hash })).toEqual({ mailboxes: [row?.id], messages: 0 });
    const changed = await owner`select address from mailpipe.mailboxes where display_name = 'mine'`;
    expect(changed.filter(({ address }) => address === "else@acme.example")).toEqual([]);
  });
});

describe("the tenant of a transaction", () => {
  test.each([
    ["another organization", () => zeta.live],
    ["the other environment", () => acme.test],
    ["another organization's session", () => zeta.session],
  ])("cannot be changed to %s", async (_, other) => {
    await expect(service.begin(async (transaction) => {
      await rpc(transaction, "whoami", { p_caller: acme.live });
      await rpc(transaction, "whoami", { p_caller: acme.live });
      await rpc(transaction, "whoami", { p_caller: other() });
    })).rejects.toMatchObject({ code: "PT403", message: "already_pinned" });
  });

  test("set by hand before, is found out by the function that authenticates", async () => {
    await expect(service.begin(async (transaction) => {
      await transaction`select set_config('mailpipe.organization_id', ${zeta.organization_id}, true)`;
      await rpc(transaction, "list_messages", { p_caller: acme.live, p_request: { limit: 10 } });
    })).rejects.toMatchObject({ code: "PT403" });
  });

  test("is gone in the next transaction of the same connection, after a commit and after an error", async () => {
    const connection = await database.sql("mailpipe_tenant").reserve();
    const seen = async () => (await connection`select id from mailpipe.messages`).length;
    const pin = () => connection`select mailpipe.authenticate(${connection.json(acme.live)}, 'caller')`;
    for (const end of ["commit", "rollback"]) {
      await connection`begin`;
      await pin();
      expect(await seen()).toBeGreaterThan(0);
      await connection.unsafe(end);
      expect(await seen()).toBe(0);
    }
    await connection`begin`;
    await connection`savepoint before`;
    await pin();
    await connection`rollback to savepoint before`;
    expect(await seen()).toBe(0);
    await connection`rollback`;
    connection.release();
  });

  describe("is not moved by what a caller puts in the way of names:", () => {
    const path = (value: string) =>
      owner.unsafe(`alter function mailpipe_api.list_messages(jsonb, jsonb) ${value}`);

    /** Lists under a search path whose first schema answers `->>` and has tables of our names. */
    async function listed(): Promise<string[]> {
      const connection = await service.reserve();
      try {
        await connection.unsafe(`
          begin;
          create temp table messages (like pg_catalog.pg_class);
          create temp table api_keys (id text);
          set local search_path = in_the_way, pg_temp, mailpipe, pg_catalog;
        `);
        const page = await rpc<{ data: { subject: string }[] }>(
          connection,
          "list_messages",
          { p_caller: acme.live, p_request: { limit: 10 } },
        );
        return page.data.map(({ subject }) => subject);
      } finally {
        await connection`rollback`;
        connection.release();
      }
    }

    beforeAll(() =>
      owner.unsafe(`
        create schema in_the_way;
        grant usage on schema in_the_way to public;
        create function in_the_way.pick(jsonb, text) returns text immutable language sql as 'select ''hijacked''::text';
        create operator in_the_way.->> (leftarg = jsonb, rightarg = text, function = in_the_way.pick);
      `)
    );

    test("the function's own search path is what counts", async () => {
      expect(await listed()).toEqual(["live"]);
    });

    test("without one the same call is taken in", async () => {
      await path("reset search_path");
      try {
        await expect(listed()).rejects.toMatchObject({ code: "PT400", message: "invalid_cursor" });
      } finally {
        await path("set search_path = pg_catalog, pg_temp");
      }
    });
  });
});

describe("service_role", () => {
  test("reads and writes no table of ours", async () => {
    const tables = await owner<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'mailpipe'::regnamespace and relkind = 'r'
    `;
    for (const { name } of tables) {
      await expect(service.unsafe(`select * from mailpipe.${name}`), name).rejects.toMatchObject(denied);
      await expect(service.unsafe(`delete from mailpipe.${name}`), name).rejects.toMatchObject(denied);
    }
    expect(tables.length).toBeGreaterThan(15);
  });

  test.each([
    "select mailpipe.authenticate('{}', 'worker')",
    "select mailpipe.unseal('a', 'b', 'c', 'd', null)",
    "select mailpipe.seal('a', 'b', 'c', 'd')",
    "select mailpipe.master_key(1)",
    "select mailpipe.create_organization('Mine', 'owner@acme.example')",
    "select mailpipe.wake('deliver-mail')",
    "set role mailpipe_tenant",
    "set role mailpipe_worker",
    "set role postgres",
    "alter function mailpipe_api.whoami(jsonb) security invoker",
    "create function mailpipe_api.mine() returns int language sql as 'select 1'",
  ])("cannot: %s", async (statement) => {
    await expect(service.unsafe(statement)).rejects.toMatchObject(denied);
  });
});

describe.each(["anon", "authenticated"] as const)("%s", (role) => {
  test("is stopped before any lookup, also with a hash read from a dump", async () => {
    const doors = await owner<{ call: string }[]>`
      select format('%s(%s)', oid::regproc, (
        select string_agg(case place when 1 then '$1' else format('null::%s', type::regtype) end, ', ')
        from unnest(proargtypes) with ordinality as argument (type, place)
      )) as call
      from pg_proc where pronamespace = 'mailpipe_api'::regnamespace
    `;
    expect(doors.length).toBeGreaterThan(30);
    for (const { call } of doors) {
      await expect(database.sql(role).unsafe(`select ${call}`, [acme.live as never]), call).rejects
        .toMatchObject(denied);
    }
  });

  test("reads no table, though policies name members", async () => {
    for (const table of readable) {
      await expect(database.sql(role).unsafe(`select * from mailpipe.${table}`), table).rejects.toMatchObject(
        denied,
      );
    }
  });
});

describe("promise 5: a request that starts after a revocation returned is refused", () => {
  const who = (p_caller: Caller) => rpc(service, "whoami", { p_caller });
  const refused = { code: "PT401", message: "invalid_credential" };

  test("of a key, and of every key it issued", async () => {
    const issue = async (p_caller: Caller, hash: string) =>
      rpc(service, "issue_key", {
        p_caller,
        p_hash: hash,
        p_last_four: "last",
        p_request: { name: "child", environment: "live", scopes: ["keys:write"], expires_at: null },
      });
    const [parent, child] = ["a".repeat(64), "b".repeat(64)];
    const { id } = await issue(acme.live, parent);
    await issue({ key_hash: parent }, child);
    expect(await who({ key_hash: child })).toMatchObject({ kind: "key" });
    await rpc(service, "revoke_key", { p_caller: acme.live, p_request: { id } });
    await expect(who({ key_hash: parent })).rejects.toMatchObject(refused);
    await expect(who({ key_hash: child })).rejects.toMatchObject(refused);
  });

  test.each([
    ["signed out", (auth: Sql, id: string) => auth`delete from auth.sessions where user_id = ${id}`, refused],
    [
      "banned",
      (auth: Sql, id: string) => auth`update auth.users set banned_until = 'infinity' where id = ${id}`,
      refused,
    ],
    [
      "deleted softly",
      (auth: Sql, id: string) => auth`update auth.users set deleted_at = now() where id = ${id}`,
      refused,
    ],
    [
      "anonymous",
      (auth: Sql, id: string) => auth`update auth.users set is_anonymous = true where id = ${id}`,
      refused,
    ],
    [
      "past her session's end",
      // Our clock counts whole milliseconds: an end of finer grain could lie in the millisecond of the next call.
      (auth: Sql, id: string) =>
        auth`update auth.sessions set not_after = date_trunc('milliseconds', now()) where user_id = ${id}`,
      refused,
    ],
    [
      "removed from the organization",
      (auth: Sql, id: string) => auth`delete from mailpipe.members where user_id = ${id}`,
      { code: "PT400", message: "organization_required" },
    ],
  ])("of a user who is %s", async (name, change, expected) => {
    const session = await signIn(database, `${name.replaceAll(/\W/g, "")}@acme.example`);
    await owner`insert into mailpipe.members (organization_id, user_id, role)
      values (${acme.organization_id}, ${session.user_id}, 'viewer')`;
    expect(await who(session)).toMatchObject({ kind: "session", role: "viewer" });
    await change(database.sql("supabase_admin"), session.user_id);
    await expect(who(session)).rejects.toMatchObject(expected);
  });

  test("a session id of somebody else does not speak for the user named beside it", async () => {
    await expect(who({ ...acme.session, user_id: zeta.user_id })).rejects.toMatchObject(refused);
  });
});
