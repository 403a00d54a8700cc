import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { bootstrapDatabase } from "../../supabase/local/bootstrap.ts";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { freePort } from "../../supabase/local/ports.ts";
import { type PostgresServer, startPostgres } from "../../supabase/local/postgres.ts";
import { removeDataDir } from "../../supabase/local/postgres-cluster.ts";
import { type Edge, startEdge } from "./edge.ts";
import { type MintedKeys, mintKeys, seedKeys } from "./seeded-keys.ts";

/** The roles a measurement works as: the owner, the superuser, and those our definer functions belong to. */
export type BenchRole =
  | "postgres"
  | "supabase_admin"
  | "authenticator"
  | "mailpipe_tenant"
  | "mailpipe_worker";

type Pool = (role: BenchRole, max: number, settings?: Record<string, string>) => postgres.Sql;

/** A project on loopback with 100,000 keys, a PostgreSQL of its own and a stand-in for PostgREST. */
export interface Project {
  /** A pool of `max` connections that are `role`, with settings of their own. Ends with the project. */
  pool: Pool;
  /** Another database on the same server, with our schemas and nothing in them; its pools end with the project. */
  another(name: string): Promise<Pool>;
  edge: Edge;
  keys: MintedKeys;
  /** How to end what a measurement starts beside it; they run when the project ends, the last first. */
  endings: Endings;
}

/** How to end what was started, in the order it was. */
export type Endings = (() => unknown)[];

/** Starts the project. Whatever happens, also when it rejects, the caller runs `endings` backwards. */
export async function startProject(endings: Endings): Promise<Project> {
  const server = await startServer(endings);
  const pool = pools(server, "postgres", endings);
  const keys = mintKeys();
  await seedKeys(pool("postgres", 1), keys);
  const edge = await startEdge(server.url("supabase_admin", "postgres"), pool("authenticator", 4));
  endings.push(edge.close);
  return { pool, another: (name) => addDatabase(server, name, endings), edge, keys, endings };
}

async function startServer(endings: Endings): Promise<PostgresServer> {
  // Not mkdtemp: a PostgreSQL that root starts runs as another account and must enter the folder.
  const dataDir = join(tmpdir(), `mailpipe-bench-${randomUUID()}`);
  endings.push(() => removeDataDir(dataDir));
  // Durable, as hosted: a commit that writes to a logged table waits for the disk, and pages are logged whole.
  const server = await startPostgres({ dataDir, port: await freePort(undefined), durable: true });
  endings.push(server.stop);
  await migrate(server, "postgres");
  return server;
}

async function migrate(server: PostgresServer, database: string): Promise<void> {
  await bootstrapDatabase(server, database, { scheduler: false });
  await applyMigrations(server.url("postgres", database));
}

async function addDatabase(server: PostgresServer, name: string, endings: Endings): Promise<Pool> {
  const admin = postgres(server.url("supabase_admin", "postgres"), { max: 1, onnotice: () => {} });
  await admin`create database ${admin(name)}`.finally(() => admin.end());
  await migrate(server, name);
  return pools(server, name, endings);
}

function pools(server: PostgresServer, database: string, endings: Endings): Pool {
  return (role, max, settings = {}) => {
    const logsIn = role === "postgres" || role === "supabase_admin" || role === "authenticator";
    const sql = postgres(server.url(logsIn ? role : "supabase_admin", database), {
      max,
      onnotice: () => {},
      // In the start-up packet, so that it holds on every connection of the pool.
      connection: { ...settings, ...(logsIn ? {} : { role }) } as Record<string, string>,
    });
    endings.push(() => sql.end({ timeout: 5 }));
    return sql;
  };
}
