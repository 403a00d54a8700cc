import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Passwords } from "../../supabase/local/postgres.ts";

/** Where a PostgreSQL of the tests listens, and how to log in. */
export interface TestServer {
  port: number;
  passwords: Passwords;
}

/** A server with how to end it. */
export interface RunningServer {
  server: TestServer;
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL in a child process, with the templates a clone starts from; its log goes to the folder `evidence`. `untouched` leaves out the one with
 * our migrations: roles and their settings belong to the cluster, so only there is what we do to them still to be seen.
 */
export async function startTestServer(
  state: "migrated" | "untouched",
  evidence: string,
): Promise<RunningServer> {
  const script = fileURLToPath(new URL("server.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, state, evidence], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const answer = await firstAnswer(child);
  if (!answer.ready) {
    await stop(child);
    throw new Error(`The tests' PostgreSQL did not start: ${answer.failed}`);
  }
  return { server: answer.ready, stop: () => stop(child) };
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
