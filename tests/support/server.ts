// The process that owns PostgreSQL during a test run. Not vitest's own: whatever happens to vitest, our channel
// to it closes, and the server and its folder go.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { bootstrapDatabase } from "../../supabase/local/bootstrap.ts";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { type PostgresServer, startPostgres } from "../../supabase/local/postgres.ts";

const dataDir = mkdtempSync(join(tmpdir(), "mailpipe-test-"));
let server: PostgresServer | undefined;

process.once("disconnect", async () => {
  await server?.stop();
  if (server) rmSync(server.dataDir, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
  process.exit(0);
});

try {
  server = await startPostgres({ dataDir, port: await freePort(), durable: false });
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
  await admin`create database mailpipe template hosted owner postgres`;
  await applyMigrations(running.url("postgres", "mailpipe"));
  await admin.end();
}

function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
