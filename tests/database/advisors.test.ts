import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pushMigrations } from "../../supabase/local/migrate.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { runInstallFile } from "./browsers.ts";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** What Supabase's advisors tell of us for information, and why it stays. Nothing of a higher level is there. */
const explained: Record<string, { about?: string[]; why: string }> = {
  rls_enabled_no_policy: {
    about: ["data_keys", "key_uses", "master_keys", "rate_windows", "saved_windows", "settings"],
    why: "closed to both our roles: only definer functions of the migrating role reach them",
  },
  unused_index: { why: "the database is new: nothing was looked up in it yet" },
};

interface Finding {
  name: string;
  level: string;
  metadata: { name: string };
}

let database: TestDatabase;
let sql: Sql;
let folder: string;

beforeAll(async () => {
  database = await cloneDatabase("hosted");
  sql = database.sql("postgres");
  // The advisors take the schemas they look at from a config.toml, and from nowhere else.
  folder = mkdtempSync(join(tmpdir(), "mailpipe-lint-"));
  mkdirSync(join(folder, "supabase"));
  const config = 'project_id = "lint"\n[api]\nschemas = ["mailpipe_api", "mailpipe"]\n';
  writeFileSync(join(folder, "supabase/config.toml"), config);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await database.close();
});

/** Runs the advisors with `--fail-on warn`, as CI would. */
function advise(): Promise<{ code: number; findings: Finding[] }> {
  const args = ["db", "advisors", "--workdir", folder, `--remote=${database.url}`];
  const shown = ["--level", "info", "--fail-on", "warn", "--output-format", "json"];
  const nowhere = "http://127.0.0.1:9";
  const quiet = {
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
  };
  return new Promise((resolve, reject) => {
    execFile(
      join(repository, "node_modules/.bin/supabase"),
      [...args, ...shown],
      { env: { ...process.env, HOME: folder, ...quiet } },
      (error, stdout, stderr) => {
        if (!stdout.startsWith("{")) return reject(new Error(`the advisors said: ${stdout}${stderr}`));
        const { results } = JSON.parse(stdout) as { results: Finding[] };
        resolve({ code: Number(error?.code ?? 0), findings: results });
      },
    );
  });
}

describe("supabase db advisors, with both our schemas listed", () => {
  beforeAll(() => pushMigrations(database.url));

  test.each<[string, () => Promise<unknown>]>([
    [
      "what `supabase db push` made",
      async () => expect(await pushMigrations(database.url)).toMatch(/up to date/i),
    ],
    ["the same with members let in from browsers", () => runInstallFile(database, "expose-to-browsers.sql")],
  ])("pass %s, and tell for information what is explained here", async (_, install) => {
    await install();
    const { code, findings } = await advise();
    expect(code).toBe(0);
    expect([...new Set(findings.map(({ level }) => level))]).toEqual(["INFO"]);
    const names = new Set(findings.map(({ name }) => name));
    expect([...names].sort()).toEqual(Object.keys(explained).sort());
    for (const [name, { about }] of Object.entries(explained)) {
      const objects = new Set(
        findings.filter((each) => each.name === name).map(({ metadata }) => metadata.name),
      );
      if (about !== undefined) expect([...objects].sort()).toEqual(about);
    }
  });

  test("fail on a table without row-level security, a view that bypasses it and a function open to hijacking", async () => {
    await sql.unsafe(`
      create table mailpipe.open (id int primary key, password text);
      grant usage on schema mailpipe to anon;
      grant select on mailpipe.open to anon;
      create view mailpipe.everything as select * from mailpipe.messages;
      grant select on mailpipe.everything to anon;
      create function mailpipe_api.loose() returns int language sql as 'select 1';
    `);
    const { code, findings } = await advise();
    expect(code).not.toBe(0);
    expect(
      findings.filter(({ level }) => level !== "INFO").map(({ name, metadata }) => `${name} ${metadata.name}`)
        .sort(),
    )
      .toEqual([
        "function_search_path_mutable loose",
        "rls_disabled_in_public open",
        "security_definer_view everything",
        "sensitive_columns_exposed open",
      ]);
  });
});
