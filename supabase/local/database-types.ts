import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bootstrapDatabase } from "./bootstrap.ts";
import { applyMigrations } from "./migrate.ts";
import { freePort } from "./ports.ts";
import { startPostgres } from "./postgres.ts";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));
const HEADER =
  "// Generated from the migrations by supabase/local/database-types.ts. Do not edit.\n// deno-fmt-ignore-file\n" +
  "// deno-lint-ignore-file\n";

/** The types of schema mailpipe_api as `supabase gen types` reads them from a migrated database at `url`. */
export async function generatedTypes(url: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    join(REPOSITORY, "node_modules/.bin/supabase"),
    ["gen", "types", `--remote=${url}`, "--schema", "mailpipe_api", "--lang", "typescript"],
    { cwd: REPOSITORY, env: { ...process.env, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" } },
  );
  // A notice about TLS stands before the types.
  return HEADER + stdout.slice(stdout.indexOf("export type Json")).replace(/[ \t]+$/gm, "");
}

/** Migrates a database of its own and writes shared/database-types.ts from it. */
async function write(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "mailpipe-types-"));
  const server = await startPostgres({ dataDir, port: await freePort(undefined), durable: false });
  try {
    await bootstrapDatabase(server, "postgres", { scheduler: false });
    await applyMigrations(server.url("postgres", "postgres"));
    const types = await generatedTypes(server.url("postgres", "postgres"));
    await writeFile(join(REPOSITORY, "shared/database-types.ts"), types);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write();
