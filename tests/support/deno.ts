import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const flags = ["run", "-A", "--no-prompt", "--no-lock", "--node-modules-dir=manual", "--config", "deno.json"];

/**
 * Runs a script with Deno 2.1.4, the hosted runtime's version, that trusts the authorities, and returns what it prints
 * as JSON. The ports of the servers the test started are its first argument.
 */
export async function runDeno(
  script: string,
  ports: Record<string, number>,
  authorities: string[],
  environment: Record<string, string>,
): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), "mailpipe-"));
  writeFileSync(join(folder, "ca.pem"), authorities.join("\n"));
  try {
    const { stdout } = await promisify(execFile)(
      "node_modules/deno/deno",
      [...flags, script, JSON.stringify(ports)],
      { timeout: 60_000, env: { ...process.env, DENO_CERT: join(folder, "ca.pem"), ...environment } },
    );
    return JSON.parse(stdout) as Record<string, unknown>;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
