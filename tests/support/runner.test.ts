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

/** The command a developer and CI type, told only to look for its tests in our folder. */
async function npmTest(body: string): Promise<{ code: number | null; output: string }> {
  writeFileSync(
    join(folder, "tests/sample.test.ts"),
    `import { expect, test } from "vitest";
     import { cloneDatabase } from "../../../tests/support/database.ts";
     test("sample", async () => {
       const database = await cloneDatabase("hosted");
       await database.close();
       ${body}
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

describe("npm test", () => {
  test("exits non-zero when a test fails, with a summary that says so", async () => {
    const { code, output } = await npmTest("expect(1).toBe(2);");
    expect(output).toMatch(/Tests\s+1 failed \(1\)/);
    expect(code).not.toBe(0);
  });

  test("exits with zero when the same test passes", async () => {
    const { code, output } = await npmTest("expect(1).toBe(1);");
    expect(output).toMatch(/Tests\s+1 passed \(1\)/);
    expect(code).toBe(0);
  });
});
