import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DENO_ENVIRONMENT, grantedHost, PERMISSIONS } from "./deno-access.ts";
import { countHost, type Hosts } from "./outgoing.ts";
import { requiredBinary } from "./required-binary.ts";

/** The Edge Functions, running under Deno. */
export interface FunctionsHost {
  /** Where they listen; undefined between a crash of the host and its next start. */
  port(): number | undefined;
  /** Process id of the host, for tests that kill it. */
  pid(): number | undefined;
  /** Where the functions connected to since the start, crashes of the host included. */
  outgoing: Hosts;
  stop(): Promise<void>;
}

export interface FunctionsOptions {
  /** The repository: `supabase/config.toml`, `deno.json` and `node_modules` lie in it. */
  root: string;
  /** Where everything the functions print is appended. */
  logFile: string;
  /** Deno's compile cache; a folder of ours, so that an unwritable home or an odd DENO_DIR does not matter. */
  cacheFolder: string;
  /** The functions see these variables and no others of the caller's. */
  environment: Record<string, string>;
}

/** Long enough that a host that cannot start does not spin, short enough that a crash costs one retry. */
const RESTART_DELAY = 250;

/** How long a host may take to end after it was asked to. */
const STOP_GRACE = 2_000;

/** Where what a host says goes. */
interface Ears {
  log: WriteStream;
  outgoing: Hosts;
}

interface Launched {
  child: ChildProcess;
  /** Rejects with what the host printed where it ended before it listened. */
  port: Promise<number>;
  ended: Promise<unknown>;
}

/**
 * Starts the functions of supabase/config.toml under the Deno that npm installed, and starts them again when
 * the process dies. The process ends with this one, however that ends. Rejects with one sentence where the
 * binary is missing, and with what Deno printed where the host does not come up.
 */
export async function startFunctions(options: FunctionsOptions): Promise<FunctionsHost> {
  const binary = denoBinary(options.root);
  const ears = { log: createWriteStream(options.logFile, { flags: "a", mode: 0o600 }), outgoing: new Map() };
  let running = launch(binary, options, ears);
  let port: number | undefined = await running.port;
  let stopping = false;
  const keepRunning = async () => {
    while (!stopping) {
      await running.ended;
      port = undefined;
      if (stopping) return;
      await sleep(RESTART_DELAY);
      running = launch(binary, options, ears);
      port = await running.port.catch(() => undefined);
    }
    await end(running);
  };
  const ended = keepRunning();
  return {
    port: () => port,
    pid: () => running.child.pid,
    outgoing: ears.outgoing,
    async stop() {
      stopping = true;
      await end(running);
      await ended;
      ears.log.end();
    },
  };
}

async function end({ child, ended }: Launched): Promise<void> {
  child.stdin?.end();
  const last = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE);
  await ended;
  clearTimeout(last);
}

function denoBinary(root: string): string {
  return requiredBinary(root, "Deno", `node_modules/deno/deno${process.platform === "win32" ? ".exe" : ""}`);
}

function launch(
  binary: string,
  { root, cacheFolder, environment }: FunctionsOptions,
  ears: Ears,
): Launched {
  const host = fileURLToPath(new URL("functions-host.ts", import.meta.url));
  const flags = [
    "--no-prompt",
    "--no-lock",
    "--node-modules-dir=manual",
    "--config",
    join(root, "deno.json"),
  ];
  const child = spawn(binary, ["run", ...PERMISSIONS, ...flags, host, join(root, "supabase/config.toml")], {
    cwd: root,
    env: { ...environment, ...DENO_ENVIRONMENT, DENO_DIR: cacheFolder },
    stdio: ["pipe", "pipe", "pipe"],
    // Its own session: Ctrl-C reaches the stack alone, which then ends this in its own order.
    detached: true,
  });
  // Writing to a host that has just died fails; its exit is what counts.
  child.stdin.on("error", () => {});
  return { child, port: listening(child, ears), ended: once(child, "close") };
}

function listening(
  child: ChildProcessByStdio<Writable, Readable, Readable>,
  { log, outgoing }: Ears,
): Promise<number> {
  const printed: string[] = [];
  createInterface(child.stderr).on("line", (line) => {
    const host = grantedHost(line);
    if (host !== undefined) return countHost(outgoing, host);
    if (printed.length < 20) printed.push(line);
    log.write(`${line}\n`);
  });
  const lines = createInterface(child.stdout);
  return new Promise((resolve, reject) => {
    lines.once("line", (first) => {
      lines.on("line", (line) => log.write(`${line}\n`));
      resolve((JSON.parse(first) as { port: number }).port);
    });
    child.once("close", () => reject(new Error(`The functions did not start:\n${printed.join("\n")}`)));
    child.once("error", reject);
  });
}
