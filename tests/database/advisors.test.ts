import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pushMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

const cli = resolve(import.meta.dirname, "../../node_modules/.bin/supabase");

/** What Supabase's advisors call info on a fresh installation, and why it stays. Nothing warns. */
const explained: Record<string, string> = {
  rls_enabled_no_policy:
    "settings, master_keys and data_keys: no role but the migrating one has any business there",
  unused_index: "a database nobody has queried yet uses none of its indexes",
};

interface Finding {
  name: string;
  level: string;
  detail: string;
}

let folder: string;
let database: TestDatabase;

/** The advisors take the schemas from config.toml of their --workdir, not from the database (platform.md §3.4). */
function lintFolder(): string {
  const made = mkdtempSync(join(tmpdir(), "mailpipe-advisors-"));
  mkdirSync(join(made, "supabase"));
  const config = 'project_id = "lint"\n\n[api]\nschemas = ["mailpipe_api", "mailpipe"]\n';
  writeFileSync(join(made, "supabase/config.toml"), config);
  return made;
}

function advise(): Promise<{ code: number; findings: Finding[] }> {
  const args = ["db", "advisors", "--workdir", folder, `--remote=${database.url}`, "--level", "info"];
  const env = { ...process.env, HOME: folder, SUPABASE_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  return new Promise((done) => {
    execFile(
      cli,
      [...args, "--fail-on", "warn", "--output-format", "json"],
      { env },
      (error, stdout, stderr) => {
        const found = [
          ...`${stdout}${stderr}`.matchAll(
            /"name": ?"(\w+)"[^}]*?"level": ?"(\w+)"[^}]*?"detail": ?"((?:[^"\\]|\\.)*)"/g,
          ),
        ];
        const findings = found.map(([, name = "", level = "", detail = ""]) => ({ name, level, detail }));
        done({ code: error === null ? 0 : Number(error.code ?? 1), findings });
      },
    );
  });
}

beforeAll(async () => {
  folder = lintFolder();
  database = await cloneDatabase("hosted");
});

afterAll(async () => {
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the migrations, by the real CLI, as a role that is no superuser", () => {
  test("apply to a database that has only what a hosted project has, and a second push changes nothing", async () => {
    await pushMigrations(database.url);
    expect(await pushMigrations(database.url)).toMatch(/up to date/i);
  });

  test("leave Supabase's own advisors nothing to warn of, with both schemas listed", async () => {
    const { code, findings } = await advise();
    expect(findings.filter(({ level }) => level !== "INFO")).toEqual([]);
    expect([...new Set(findings.map(({ name }) => name))].sort()).toEqual(Object.keys(explained).sort());
    expect(code).toBe(0);
  });

  test("would be told by them of a table without row-level security", async () => {
    await database.sql("postgres")`create table mailpipe.bad (secret text)`;
    await database.sql("postgres")`grant select on mailpipe.bad to anon`;
    const { code, findings } = await advise();
    await database.sql("postgres")`drop table mailpipe.bad`;
    expect(findings.map(({ name }) => name)).toContain("rls_disabled_in_public");
    expect(code).not.toBe(0);
  });
});
