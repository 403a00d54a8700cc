import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import postgres from "postgres";

const REPOSITORY = new URL("../../", import.meta.url);

// Where nothing listens: asked not to, the CLI still looks for a newer version of itself.
const NOWHERE = "http://127.0.0.1:9";
const CALL_NOBODY = {
  SUPABASE_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  HTTP_PROXY: NOWHERE,
  http_proxy: NOWHERE,
  HTTPS_PROXY: NOWHERE,
  https_proxy: NOWHERE,
};

const MIGRATIONS = new URL("supabase/migrations/", REPOSITORY);

/**
 * Applies the migrations as a customer does, with `supabase db push`. `url` is of role `postgres`.
 * Returns what the CLI printed; throws with it when a migration fails or the history is foreign.
 */
export async function pushMigrations(url: string): Promise<string> {
  const cli = fileURLToPath(new URL("node_modules/.bin/supabase", REPOSITORY));
  const run = promisify(execFile)(cli, ["db", "push", `--remote=${url}`, "--yes"], {
    cwd: fileURLToPath(REPOSITORY),
    env: { ...process.env, ...CALL_NOBODY },
  });
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => {
    throw new Error(`supabase db push failed:\n${error.stdout}${error.stderr}`);
  });
  return stdout + stderr;
}

/** Applies the same files in process, each in a transaction of its own: for test templates, which keep no history. */
export async function applyMigrations(url: string): Promise<void> {
  const files = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql")).sort();
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (const file of files) await applyFile(sql, file);
  } finally {
    await sql.end();
  }
}

async function applyFile(sql: postgres.Sql, file: string): Promise<void> {
  const text = await readFile(new URL(file, MIGRATIONS), "utf8");
  await sql.begin((transaction) => transaction.unsafe(text)).catch((error: Error) => {
    throw new Error(`migration ${file} failed${place(error, text)}: ${error.message}`, { cause: error });
  });
}

/** The server counts characters from 1; people count lines. */
function place(error: Error, text: string): string {
  const position = Number((error as { position?: string }).position);
  return position ? ` at line ${text.slice(0, position).split("\n").length}` : "";
}
