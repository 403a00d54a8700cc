import type { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const repository = join(import.meta.dirname, "../..");
const scratch = join(repository, ".mailpipe");
let folder: string;

// Inside the repository, where the tests' imports resolve, but where no ordinary run looks for tests.
beforeAll(() => {
  mkdirSync(scratch, { recursive: true });
  folder = mkdtempSync(join(scratch, "runner-"));
  mkdirSync(join(folder, "tests"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sample = () => relative(repository, join(folder, "tests/sample.test.ts"));

const imports = `
  import { expect, test } from "vitest";
  import { json } from "../../../shared/answers.ts";
  import { mintKey } from "../../../shared/keys.ts";
  import { serve } from "../../../shared/serve.ts";
  import { startApi } from "../../../tests/support/api.ts";
  import { ask } from "../../../tests/support/ask.ts";
  import { cloneDatabase } from "../../../tests/support/database.ts";
  import { keepLog } from "../../../tests/support/log.ts";
  import { noteSecrets } from "../../../tests/support/secret-register.ts";
  const seeded = (kind) => {
    const text = "never-printed-" + crypto.randomUUID();
    noteSecrets([{ kind, text }]);
    return text;
  };
`;

/** The command a developer and CI type, told only to look for its tests in our folder. */
async function npmTest(body: string): Promise<{ code: number | null; output: string }> {
  writeFileSync(
    join(repository, sample()),
    `${imports} test("sample", async () => {
       const database = await cloneDatabase("hosted");
       const sql = database.sql("postgres");
       ${body}
       await database.close();
     });`,
  );
  const environment = Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$)/.test(name));
  const child = spawn("npm", ["test", "--", "--dir", relative(repository, folder)], {
    cwd: repository,
    env: { ...Object.fromEntries(environment), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => void (output += text));
  }
  const [code] = await once(child, "close") as [number | null];
  return { code, output };
}

// Each starts a PostgreSQL of its own.
const patience = { timeout: 120_000 };

describe("npm test", patience, () => {
  test("exits non-zero when a test fails, with a summary that says so", async () => {
    const { code, output } = await npmTest("expect(1).toBe(2);");
    expect(output).toMatch(/Tests\s+1 failed \(1\)/);
    expect(code).not.toBe(0);
  });

  test("exits with zero when the same test passes, and says what it searched for secrets", async () => {
    const { code, output } = await npmTest("expect(1).toBe(1);");
    expect(output).toMatch(/Tests\s+1 passed \(1\)/);
    expect(output).toMatch(/^Searched for \d+ secrets in 5 databases, .* None was found\.$/m);
    expect(code).toBe(0);
  });
});

/** Ways to keep a secret where it must not be: the place the report shall name, the kind, and how. */
const leaks: [place: string, kind: string, how: string][] = [
  [
    "dump: public.texts",
    "passphrase",
    'await sql`create table public.texts as select ${"a " + seeded("passphrase")}::text as it`;',
  ],
  [
    "dump: public.octets",
    "DKIM private key",
    `const octets = Buffer.from("\\0" + seeded("DKIM private key"));
     await sql\`create table public.octets as select \${octets}::bytea as it\`;`,
  ],
  [
    "dump: public.documents",
    "webhook header",
    `const basic = { authorization: btoa("postbox:" + seeded("webhook header")) };
     await sql\`create table public.documents as select \${sql.json(basic)}::jsonb as it\`;`,
  ],
  [
    "dump: function bodies",
    "confirmation token",
    `const body = "select '" + seeded("confirmation token") + "'";
     await sql.unsafe("create function public.f() returns text language sql as $$ " + body + " $$");`,
  ],
  [
    "dump: public.kept",
    "provider credential",
    `const leftOpen = await cloneDatabase("hosted");
     const kept = seeded("provider credential");
     await leftOpen.sql("postgres")\`create table public.kept as select \${kept}::text as it\`;`,
  ],
  [
    "server log: PostgreSQL's log of the run",
    "master key",
    `await expect(sql.unsafe("select '" + seeded("master key") + "'::int")).rejects.toThrow();`,
  ],
  [
    "pg_stat_statements: the whole run",
    "data key",
    `await sql.unsafe("do $$ begin perform '" + seeded("data key") + "'; end $$");`,
  ],
  [
    "pg_stat_statements: the whole run",
    "workers' secret",
    `await sql.unsafe(\`create function public.g(p text) returns void language plpgsql
       as $$ begin execute format('set local test.it = %L', p); end $$\`);
     await sql\`select public.g(\${seeded("workers' secret")})\`;`,
  ],
  [
    "pg_stat_activity: queries",
    "invitation token",
    `await database.sql("anon").unsafe("select '" + seeded("invitation token") + "' as it");`,
  ],
  [
    "error body: 400 of leak",
    "inbound token",
    `const run = async () => json(400, { error: seeded("inbound token") });
     const route = { access: { public: true }, summary: "", answer: null, status: 200, run };
     keepLog();
     await ask(serve("leak", { GET: route }), "leak");`,
  ],
  ["function log: a line", "webhook secret", `console.log("It is " + seeded("webhook secret"));`],
  [
    "stored object: a file",
    "session",
    `const api = await startApi();
     const headers = { apikey: api.secretKey, authorization: "Bearer " + api.secretKey };
     const request = { method: "POST", headers, body: seeded("session") };
     await fetch(api.url + "/storage/v1/object/mailpipe/raw", request);
     await api.close();`,
  ],
];

describe("promise 7: a secret kept in plain fails the run", patience, () => {
  test("and so does a search that could not be made", async () => {
    const { code, output } = await npmTest(
      'await database.sql("supabase_admin")`drop database hosted`;',
    );
    expect(output).toMatch(/Tests\s+1 passed \(1\)/);
    expect(output).toContain('database "hosted" does not exist');
    expect(code).not.toBe(0);
  });

  test("wherever it is kept, by a sentence that says where, which kind and whose, and not the secret", async () => {
    const strange = "await sql`create table public.keys as select ${mintKey('live').plain}::text as it`;";
    const { code, output } = await npmTest([...leaks.map(([, , how]) => how), strange].join("\n"));
    expect(output).toMatch(/Tests\s+1 passed \(1\)/);
    for (const [place, kind] of leaks) {
      const named = output.split("\n").filter((line) => line.startsWith(place));
      const ending = `holds in plain a secret (${kind}) seeded by ${sample()}.`;
      expect(named.filter((line) => line.endsWith(ending)), place).toHaveLength(1);
    }
    expect(output).toMatch(/^dump: public\.keys, .+ \(API key\) that no test noted\.$/m);
    expect(output).toMatch(/^Searched for .+ The run failed\.$/m);
    expect(output).not.toMatch(/never-printed-\w|mp_live_\w/);
    expect(code).not.toBe(0);
  });
});
