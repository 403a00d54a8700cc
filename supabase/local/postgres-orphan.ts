import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const KEEPER = "postgres-keeper.mjs";
// A fast shutdown takes well under a second; 10 s covers a large checkpoint on a slow disk.
const SHUTDOWN_MS = 10_000;
const POLL_MS = 50;

/**
 * Makes a cluster folder startable again after a crash: ends a postmaster whose keeper died, removes a pid
 * file that names a process which is not a postmaster of this folder (pids are reused), and throws if a
 * living stack still uses the folder.
 */
export async function retireOrphan(cluster: string): Promise<void> {
  const pidFile = join(cluster, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  if (!runsIn(pid, cluster)) return rmSync(pidFile, { force: true });

  const keeper = parentOf(pid);
  if (isKept(pid) && parentOf(keeper) === starterOf(keeper)) throw new Error(inUse(cluster, pid));
  let asked = false;
  for (let waited = 0; waited < SHUTDOWN_MS; waited += POLL_MS) {
    if (!runsIn(pid, cluster)) return;
    // A keeper that is being killed may still be seen at first: who is left without one is asked when that shows.
    if (!asked && !isKept(pid)) asked = process.kill(pid, "SIGINT");
    await wait(POLL_MS);
  }
  throw new Error(inUse(cluster, pid));
}

function isKept(pid: number): boolean {
  return commandOf(parentOf(pid)).includes(KEEPER);
}

function inUse(cluster: string, pid: number): string {
  return `The data folder ${cluster} is in use by a running stack (PostgreSQL process ${pid}): stop it first.`;
}

/** A keeper is told as its last argument who started it; when that one died, the keeper has another parent. */
function starterOf(keeper: number): number {
  return Number(commandOf(keeper).trim().split(" ").at(-1));
}

function runsIn(pid: number, cluster: string): boolean {
  return commandOf(pid).includes(cluster);
}

function commandOf(pid: number): string {
  if (process.platform !== "linux") return ps(pid, "command=");
  return readProc(pid, "cmdline").replaceAll("\0", " ");
}

function parentOf(pid: number): number {
  if (process.platform !== "linux") return Number(ps(pid, "ppid="));
  // proc(5): the fields after the parenthesised command name are state, then ppid.
  return Number(readProc(pid, "stat").split(") ").at(-1)?.split(" ")[1]);
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function ps(pid: number, column: string): string {
  try {
    return execFileSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8" });
  } catch {
    return "";
  }
}
