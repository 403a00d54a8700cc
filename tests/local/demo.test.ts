import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stackOutgoing } from "../../supabase/local/demo/outgoing.ts";
import { runDemo } from "../../supabase/local/demo/run.ts";
import { type Stack, startStack } from "../../supabase/local/stack.ts";
import type { StackFile } from "../../supabase/local/stack-file.ts";

// Not mkdtemp, whose folder nobody but us may enter: as root, PostgreSQL is somebody else.
const folder = join(tmpdir(), `mailpipe-demo-test-${randomUUID()}`);
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ dataFolder: join(folder, "data"), port: 0, environment: {} });
});
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

async function demo(
  changes: Partial<StackFile>,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
) {
  const lines: string[] = [];
  const before = await stackOutgoing(stack.file.api_url);
  await meanwhile();
  const code = await runDemo(
    () => Promise.resolve({ stack: { ...stack.file, ...changes }, before }),
    (line) => lines.push(line),
  );
  return { code, lines, last: lines.at(-1) };
}

async function endpoints(): Promise<unknown[]> {
  const headers = { authorization: `Bearer ${stack.file.keys.live}` };
  const answer = await fetch(`${stack.file.functions_url}/webhooks`, { headers });
  return (await answer.json() as { data: unknown[] }).data;
}

describe("npm run demo", () => {
  it("says what was expected where a step fails, and leaves no endpoint behind", async () => {
    const { code, lines, last } = await demo({
      inbound_secret: `whsec_${btoa("another secret of the same kind.")}`,
    });
    expect(code).toBe(1);
    expect(last).toBe("\nThe demo failed: expected the answer's status to be 200, got 401.");
    expect(lines.at(-2)).toMatch(/^✘ +\d+ ms {2}Post the answer/);
    expect(await endpoints()).toEqual([]);
  });

  it("says why where nothing answers", async () => {
    const { code, last } = await demo({ api_url: "http://127.0.0.1:9" });
    expect([code, last]).toEqual([1, expect.stringMatching(/^\nThe demo failed: fetch failed: /)]);
  });

  it("fails on a connection of the stack to a host that nobody configured", async () => {
    const { lines, last } = await demo(
      {},
      () => once(connect({ host: "telemetry.invalid", port: 443 }), "error"),
    );
    expect(lines.at(-2)).toMatch(/^✘ +\d+ ms {2}See where all of it connected to/);
    expect(last).toContain("expected connections to configured hosts alone, got telemetry.invalid.");
  });

  it("does the main job as a command, a line with its time for each step, and no file stays", async () => {
    const own = join(folder, "tmp");
    mkdirSync(own);
    const script = fileURLToPath(new URL("../../supabase/local/demo.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script], {
      env: { ...process.env, TMPDIR: own },
    });
    expect(stdout).toMatch(/(^✔ +\d+ ms {2}\S.*\n){15,16}\nThe main job works: \d+\.\d s\.\n$/m);
    expect((await readdir(own)).filter((name) => name.startsWith("mailpipe"))).toEqual([]);
  });
});
