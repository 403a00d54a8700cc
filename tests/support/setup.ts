import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import type { Passwords } from "../../supabase/local/postgres.ts";
import { makeEvidence } from "./evidence.ts";
import { keepLeftovers } from "./leftovers.ts";
import { judge, type Verdict } from "./secret-verdict.ts";

/** Where the run's PostgreSQL listens, and how to log in. */
export interface TestServer {
  port: number;
  passwords: Passwords;
}

declare module "vitest" {
  export interface ProvidedContext {
    server: TestServer;
    /** The folder where secrets are noted and what must hold none is kept (evidence.ts). */
    evidence: string;
  }
}

/**
 * Starts one PostgreSQL for the whole run, in a child process, and stops it when the run ends. Then all that the run
 * kept is searched for every secret it seeded, and a leak fails the run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const evidence = makeEvidence();
  const script = fileURLToPath(new URL("server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, evidence], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const answer = await firstAnswer(child);
  if (!answer.ready) {
    await stop(child);
    rmSync(evidence, { recursive: true });
    throw new Error(`The tests' PostgreSQL did not start: ${answer.failed}`);
  }
  const server = answer.ready;
  project.provide("server", server);
  project.provide("evidence", evidence);
  return async () => {
    // Vitest reports an error thrown here and exits with zero all the same; the code it leaves as it finds it.
    const before = process.exitCode;
    process.exitCode = 1;
    try {
      await keepLeftovers(evidence, server).finally(() => stop(child));
      if (conclude(judge(evidence, await ranWhole(project)))) process.exitCode = before;
    } finally {
      rmSync(evidence, { recursive: true });
    }
  };
}

/** True when nothing was left out, so that every kind of secret must have come up. */
async function ranWhole(project: TestProject): Promise<boolean> {
  const { dir, testNamePattern } = project.config;
  const { testFiles } = await project.globTestFiles();
  const ran = new Set(project.vitest.state.getFiles().map(({ filepath }) => filepath));
  return dir === undefined && testNamePattern === undefined && testFiles.every((file) => ran.has(file));
}

/** Says what came of the search; true when nothing did. */
function conclude({ summary, complaints }: Verdict): boolean {
  for (const complaint of complaints) console.error(complaint);
  console.log(complaints.length === 0 ? `${summary} None was found.` : `${summary} The run failed.`);
  return complaints.length === 0;
}

function firstAnswer(child: ChildProcess): Promise<{ ready?: TestServer; failed?: string }> {
  return new Promise((resolve) => {
    child.once("message", resolve as (message: unknown) => void);
    child.once("exit", (code) => resolve({ failed: `its process ended with code ${code}` }));
  });
}

/** The server's process cleans up and ends once its channel to us closes (server.ts). */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
}
