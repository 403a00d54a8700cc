import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { inject } from "vitest";
import { databaseUrl, LOGIN_ROLES, type LoginRole } from "../../supabase/local/postgres.ts";
import { dumpDatabase } from "./database-dump.ts";
import { openSealed } from "./sealed-secrets.ts";
import { noteEvidence, noteSecrets } from "./secret-register.ts";
import type { TestServer } from "./test-server.ts";

/** What a clone starts from: a hosted project, the same with the pg_cron and pg_net stand-ins, or ours migrated. */
export type Template = "hosted" | "hosted_scheduler" | "mailpipe";

/** The roles a test may act as. Those that cannot log in are taken with `set role`, by whom hosted would do it. */
export type TestRole =
  | LoginRole
  | "anon"
  | "authenticated"
  | "service_role"
  | "mailpipe_tenant"
  | "mailpipe_worker";

const API_ROLES: readonly TestRole[] = ["anon", "authenticated", "service_role"];

export interface TestDatabase {
  name: string;
  /** The connection string of role `postgres`, as a customer has it. */
  url: string;
  /** The connection string of a role that logs in. */
  urlOf(role: LoginRole): string;
  /** A client that is `role` on every connection. One per role and database; closed with the database. */
  sql(role: TestRole): postgres.Sql;
  /** From now on `mailpipe.clock()` answers `iso` in this database, until told otherwise. */
  setClock(iso: string): Promise<void>;
  /** Moves the clock set before by a Postgres interval, for instance `5 minutes`. */
  advanceClock(interval: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * A database of the test's own, copied from a template in some 30 ms; on the run's server, unless the test has one of
 * its own. Close it in `afterAll`: it is dumped then.
 */
export async function cloneDatabase(
  template: Template = "mailpipe",
  server: TestServer = inject("server"),
): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await maintain(server, `create database ${name} template ${template} owner postgres`);
  const database = openDatabase(name, server);
  return {
    ...database,
    async close() {
      await keepDump(database.sql("supabase_admin")).finally(() => database.close());
      await maintain(server, `drop database ${name} with (force)`);
    },
  };
}

/** A database that is there, over connections of its own, which see what roles were set to since; closing it ends these. */
export function openDatabase(name: string, { port, passwords }: TestServer): TestDatabase {
  const urlOf = (role: LoginRole) => databaseUrl(port, role, passwords, name);
  const clients = new Map<TestRole, postgres.Sql>();
  const sql = (role: TestRole): postgres.Sql => {
    const client = clients.get(role) ?? connectAs(role, urlOf);
    clients.set(role, client);
    return client;
  };
  return {
    name,
    url: urlOf("postgres"),
    urlOf,
    sql,
    setClock: (iso) => setClock(sql("postgres"), iso),
    async advanceClock(interval) {
      await sql("postgres")`update test_clock.reading set at = at + ${interval}::interval`;
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.end()));
    },
  };
}

async function maintain({ port, passwords }: TestServer, statement: string): Promise<void> {
  const admin = postgres(databaseUrl(port, "supabase_admin", passwords, "postgres"), {
    max: 1,
    onnotice: () => {},
  });
  await admin.unsafe(statement).finally(() => admin.end());
}

/** For the search after the run, which no database outlives. Before its clients end: they show what they asked last. */
async function keepDump(sql: postgres.Sql): Promise<void> {
  for (const { source, place, text } of await dumpDatabase(sql)) noteEvidence(source, place, text);
  noteSecrets(await openSealed(sql));
}

/** The role goes in the start-up packet, so it holds on every pooled connection and `reset role` keeps it. */
function connectAs(role: TestRole, urlOf: (role: LoginRole) => string): postgres.Sql {
  const login = LOGIN_ROLES.find((name) => name === role) ??
    (API_ROLES.includes(role) ? "authenticator" : "supabase_admin");
  return postgres(urlOf(login), {
    max: 4,
    onnotice: () => {},
    ...(login === role ? {} : { connection: { role } as Record<string, string> }),
  });
}

async function setClock(sql: postgres.Sql, iso: string): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction.unsafe(`
      create schema if not exists test_clock;
      create table if not exists test_clock.reading (at timestamptz not null);
      grant usage on schema test_clock to public;
      grant select on test_clock.reading to public;
      create or replace function mailpipe.clock()
      returns timestamptz
      language plpgsql
      stable
      set search_path = pg_catalog, pg_temp
      as $$ begin return (select at from test_clock.reading); end; $$;
      truncate test_clock.reading;
    `);
    await transaction`insert into test_clock.reading (at) values (${iso})`;
  });
}
