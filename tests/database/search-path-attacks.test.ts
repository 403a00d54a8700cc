import { randomUUID } from "node:crypto";
import type { ReservedSql, Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, hashOf, mail, rpc, type Tenant, worker } from "./tenant.ts";

let database: TestDatabase;
let owner: Sql;
let acme: Tenant;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  acme = await foundTenant(database, "Acme");
  await owner.unsafe(`
    create schema in_the_way;
    grant usage, create on schema in_the_way to public;
    create function in_the_way.caught() returns text language plpgsql as $$ begin raise 'hijacked'; end; $$;
  `);
  await owner.unsafe(await shadowOperators());
  await owner.unsafe(await shadowFunctions());
});
afterAll(() => database.close());

/** Each operator of pg_catalog on the types our functions compare, once more, and it raises. */
async function shadowOperators(): Promise<string> {
  const operators = await owner<{ line: string }[]>`
    select format(
      'create function in_the_way.o%s(%s, %s) returns %s language plpgsql as $$ begin raise ''hijacked''; end; $$;
       create operator in_the_way.%s (leftarg = %s, rightarg = %s, function = in_the_way.o%s);',
      oid, oprleft::regtype, oprright::regtype, oprresult::regtype, oprname, oprleft::regtype, oprright::regtype, oid
    ) as line
    from pg_operator
    where oprnamespace = 'pg_catalog'::regnamespace
      and oprkind = 'b'
      and oprleft = any ('{text,jsonb,bytea,inet,timestamptz,interval,int4,int8,text[]}'::regtype[])
      and oprright = any ('{text,jsonb,bytea,inet,cidr,timestamptz,interval,int4,int8,text[]}'::regtype[])
      and oprname <> '<>' -- Postgres spells != so; one name is enough
  `;
  return operators.map(({ line }) => line).join("\n");
}

/** Each function of pg_catalog that our functions call by its bare name, with the same arguments, and it raises. */
async function shadowFunctions(): Promise<string> {
  const functions = await owner<{ line: string }[]>`
    with called as (
      select distinct (regexp_matches(prosrc, '(?<![.\\w])([a-z_0-9]+)\\(', 'g'))[1] as name
      from pg_proc
      where pronamespace in ('mailpipe'::regnamespace, 'mailpipe_api'::regnamespace)
    )
    select format(
      'create function in_the_way.%I(%s) returns %s language plpgsql as $$ begin raise ''hijacked''; end; $$;',
      proname, pg_get_function_identity_arguments(oid), prorettype::regtype
    ) as line
    from pg_proc
    join called on called.name = proname
    where pronamespace = 'pg_catalog'::regnamespace
      and prokind = 'f'
      and provariadic = 0
      and not proretset
      and not exists (
        select
        from pg_type
        where pg_type.oid = any (proargtypes::oid[] || prorettype)
          and typtype = 'p'
      )
  `;
  return functions.map(({ line }) => line).join("\n");
}

/** A temporary table, which is a type as well, of every table and type name we have, and of some of Postgres' own. */
async function shadowTables(connection: ReservedSql): Promise<void> {
  const names = await owner<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace in ('mailpipe'::regnamespace, 'mailpipe_api'::regnamespace) and relkind = 'r'
    union
    select typname from pg_type where typnamespace = 'mailpipe'::regnamespace and typname !~ '^_'
    union
    select unnest('{users,sessions,objects,secrets,decrypted_secrets,text,jsonb,pg_class,pg_proc,pg_type}'::text[])
  `;
  await connection.unsafe(
    names.map(({ name }) => `create temporary table "${name}" (hijacked int);`).join("\n"),
  );
}

/** Works on a service_role connection whose every bare name leads somewhere else first. Nothing of it stays. */
async function waylaid(work: (connection: ReservedSql) => Promise<void>): Promise<void> {
  const connection = await database.sql("service_role").reserve();
  try {
    await connection.unsafe("begin");
    await shadowTables(connection);
    await connection.unsafe(
      "set local search_path = pg_temp, in_the_way, pg_catalog, mailpipe, mailpipe_api",
    );
    await work(connection);
  } finally {
    await connection.unsafe("rollback");
    connection.release();
  }
}

/** What a project does all day, each call with its arguments. */
function day(): [string, Record<string, unknown>][] {
  const p_caller = acme.live;
  const p_request = { limit: 10 };
  const key = { name: "k", environment: "live", scopes: ["mail:read"], limits: { per_minute: 10 } };
  return [
    ["whoami", { p_caller }],
    ["whoami", { p_caller: acme.session }],
    ["send_mail", { p_caller, p_idempotency_key: "once", p_request: mail("Re: hello") }],
    ["list_messages", { p_caller, p_request }],
    ["list_keys", { p_caller: acme.session, p_request }],
    ["issue_key", { p_caller, p_hash: hashOf(randomUUID()), p_last_four: "last", p_request: key }],
    ["create_mailbox", { p_caller, p_request: { address: "in@acme.example" } }],
    ["list_mailboxes", { p_caller, p_request }],
    ["list_providers", { p_caller, p_request }],
    ["create_webhook", {
      p_caller: acme.session,
      p_request: {
        url: "https://example.com/",
        events: ["*"],
        secret: "whsec_of_the_fixtures",
        thin: false,
        max_concurrent: 10,
      },
    }],
    ["list_webhooks", { p_caller: acme.session, p_request }],
    ["list_deliveries", { p_caller: acme.session, p_request }],
    ["list_events", { p_caller: acme.session, p_request }],
    ["webhook_stats", { p_caller: acme.session, p_request: {} }],
    ["exchange_deliveries", { p_caller: worker, p_results: [], p_first: 5, p_retry: 5 }],
    ["list_audit", { p_caller: acme.session, p_request }],
    ["list_organizations", { p_caller: acme.session, p_request }],
    ["claim_messages", { p_caller: worker, p_limit: 5, p_message_id: null }],
    ["run_maintenance", { p_caller: worker }],
    ["revoke_key", { p_caller: acme.session, p_request: { id: acme.key_id, descendants: true } }],
  ];
}

describe("A5: names a caller put in the way of ours", () => {
  test.each([
    ["an operator", "select '{}'::pg_catalog.jsonb ->> 'a'::pg_catalog.text", "hijacked"],
    ["another", "select 'a'::pg_catalog.text = 'b'::pg_catalog.text", "hijacked"],
    ["a function", "select sha256(''::pg_catalog.bytea)", "hijacked"],
    ["a type", "select 'a'::text", "malformed record literal"],
    ["a table", "select id from messages", 'column "id" does not exist'],
  ])("would catch whoever looks there first for %s", async (_, statement, caught) => {
    await waylaid(async (connection) => {
      await expect(connection.unsafe(statement)).rejects.toThrow(caught);
    });
  });

  test("catch none of a day's calls: operators, functions, tables and types alike", async () => {
    const shadows = await owner<{ count: number }[]>`
      select count(*)::int as count from pg_proc where pronamespace = 'in_the_way'::regnamespace
    `;
    expect(shadows[0]?.count).toBeGreaterThan(100);
    await waylaid(async (connection) => {
      for (const [name, args] of day()) {
        await connection.unsafe("savepoint before");
        const answer = await rpc(connection, name, args).then(
          () => "answered",
          (error: Error) => error.message,
        );
        expect(`${name} ${answer}`).toBe(`${name} answered`);
        // What a call pinned is the transaction's; the next caller of the day is another.
        await connection.unsafe("rollback to savepoint before");
      }
    });
  });

  test.each([
    "mailpipe.key_caller(jsonb, text)",
    "mailpipe_api.list_messages(jsonb, jsonb)",
    "mailpipe.pin_tenant(text, text)",
  ])("would catch a call, were they on the path of %s", async (signature) => {
    const path = (value: string) => owner.unsafe(`alter function ${signature} set search_path = ${value}`);
    await path("in_the_way, pg_catalog");
    try {
      await waylaid(async (connection) => {
        const args = { p_caller: acme.live, p_request: { limit: 10 } };
        await expect(rpc(connection, "list_messages", args)).rejects.toThrow("hijacked");
      });
    } finally {
      await path("pg_catalog, pg_temp");
    }
  });
});
