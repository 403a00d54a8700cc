import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import type { Passwords } from "../../supabase/local/postgres.ts";

/** Where the run's PostgreSQL listens, and how to log in. */
export interface TestServer {
  port: number;
  passwords: Passwords;
}

declare module "vitest" {
  export interface ProvidedContext {
    server: TestServer;
  }
}

/** Starts one PostgreSQL for the whole run, in a child process, and stops it when the run ends. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const script = fileURLToPath(new URL("server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const answer = await firstAnswer(child);
  if (!answer.ready) {
    await stop(child);
    throw new Error(`The tests' PostgreSQL did not start: ${answer.failed}`);
  }
  project.provide("server", answer.ready);
  return () => stop(child);
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
