// The process that owns a PostgreSQL of the tests. Not vitest's own: whatever happens to vitest, our channel to it
// closes, and the server and its folder go. Told `untouched`, it makes no template our migrations ran in.
import { randomUUID } from "node:crypto";
import { appendFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { bootstrapDatabase } from "../../supabase/local/bootstrap.ts";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { addEvidence } from "./evidence.ts";
import { freePort } from "../../supabase/local/ports.ts";
import { type PostgresServer, startPostgres } from "../../supabase/local/postgres.ts";

const dataDir = join(tmpdir(), `mailpipe-test-${randomUUID()}`);
const evidence = process.argv[3] ?? "";
let server: PostgresServer | undefined;

// A statement forgotten because others came after it could not be searched, nor one that a function ran.
const settings = { "pg_stat_statements.max": "100000", "pg_stat_statements.track": "all" };

// The whole log is one text: an error and the statement it came from are lines of their own.
function log(line: string): void {
  appendFileSync(join(evidence, `said-${process.pid}`), `${line}\n`);
}

addEvidence(evidence, "server log", "PostgreSQL's log of the run", "");

process.once("disconnect", async () => {
  await server?.stop();
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(0);
});

try {
  server = await startPostgres({ dataDir, port: await freePort(undefined), durable: false, settings, log });
  await makeTemplates(server);
  process.send?.({ ready: { port: server.port, passwords: server.passwords } });
} catch (error) {
  process.send?.({ failed: (error as Error).message });
}

/** Each is a step further: what a hosted project has, the same with pg_cron and pg_net, ours migrated. */
async function makeTemplates(running: PostgresServer): Promise<void> {
  const admin = postgres(running.url("supabase_admin", "postgres"), { max: 1, onnotice: () => {} });
  await admin`create database hosted`;
  await bootstrapDatabase(running, "hosted", { scheduler: false });
  await admin`create database hosted_scheduler template hosted owner postgres`;
  await bootstrapDatabase(running, "hosted_scheduler", { scheduler: true });
  if (process.argv[2] !== "untouched") {
    await admin`create database mailpipe template hosted owner postgres`;
    await applyMigrations(running.url("postgres", "mailpipe"));
  }
  await admin.end();
}
