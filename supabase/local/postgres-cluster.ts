import { spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { type Account, POSTGRES_MAJOR, reachable, SHARED_ROOT } from "./postgres-binary.ts";

/** A caller's PG* variables, locale or time zone must not reach the server. */
export const SERVER_ENVIRONMENT = { LC_ALL: "C", TZ: "UTC" };

/**
 * The folder that will hold the cluster: `wanted`, made if missing. Where root's server account cannot enter it
 * (a clone in root's home), a folder of its own under SHARED_ROOT, named in `wanted/location` so that removing
 * `wanted` still means starting afresh. Throws one sentence where the data belongs to someone else.
 */
export function openDataDir(wanted: string, account: Account): string {
  makeDataDir(wanted, account);
  if (fs.existsSync(join(wanted, "cluster"))) return refuseForeign(wanted, account);
  if (account.uid === undefined || reachable(wanted, account)) return wanted;
  const pointer = join(wanted, "location");
  if (!fs.existsSync(pointer)) fs.writeFileSync(pointer, join(SHARED_ROOT, `data-${randomUUID()}`));
  fs.mkdirSync(SHARED_ROOT, { recursive: true });
  fs.chmodSync(SHARED_ROOT, 0o755);
  return makeDataDir(fs.readFileSync(pointer, "utf8"), account);
}

/** Removes `wanted` with the cluster it names, wherever openDataDir put it. Nothing may run in it. */
export function removeDataDir(wanted: string): void {
  const pointer = join(wanted, "location");
  if (fs.existsSync(pointer)) fs.rmSync(fs.readFileSync(pointer, "utf8"), { recursive: true, force: true });
  fs.rmSync(wanted, { recursive: true, force: true });
}

function makeDataDir(dataDir: string, account: Account): string {
  if (!fs.existsSync(dataDir)) {
    fs.mkdirSync(dataDir, { recursive: true });
    own(dataDir, account);
  }
  return dataDir;
}

function refuseForeign(dataDir: string, account: Account): string {
  const owner = fs.statSync(join(dataDir, "cluster")).uid;
  if (owner === (account.uid ?? process.getuid?.() ?? owner)) return dataDir;
  throw new Error(
    `The data folder ${dataDir} belongs to another account (uid ${owner}): start the stack as that one, ` +
      "or choose another folder with MAILPIPE_DATA.",
  );
}

/** Throws one sentence if another major version made the cluster; a cluster that does not exist yet is fine. */
export function refuseOtherVersion(cluster: string): void {
  const file = join(cluster, "PG_VERSION");
  const found = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim() : POSTGRES_MAJOR;
  if (found === POSTGRES_MAJOR) return;
  throw new Error(
    `The data folder ${cluster} was made by PostgreSQL ${found} and this stack runs ${POSTGRES_MAJOR}: ` +
      "move it away or choose another with MAILPIPE_DATA.",
  );
}

const CLUSTER_CHOICES = [
  ...["--username", "supabase_admin", "--auth", "scram-sha-256", "--no-sync", "--encoding", "UTF8"],
  // The builtin provider sorts alike on every machine; an operating system's locales do not.
  ...["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"],
];

/**
 * Runs initdb with the superuser `supabase_admin`, and makes the root key of the Vault stand-in (vault.sql).
 * Under another name first: an initdb that was killed half-way must not look like a cluster at the next start.
 */
export function createCluster(folder: string, cluster: string, password: string, account: Account): void {
  const partial = `${cluster}.new`;
  fs.rmSync(partial, { recursive: true, force: true });
  initialise(join(folder, "bin/initdb"), partial, password, account);
  writeOwned(join(partial, "vault.key"), randomBytes(32).toString("hex"), account);
  fs.renameSync(partial, cluster);
}

function initialise(initdb: string, cluster: string, password: string, account: Account): void {
  const passwordFile = `${cluster}.password`;
  writeOwned(passwordFile, password, account);
  const made = spawnSync(initdb, ["-D", cluster, "--pwfile", passwordFile, ...CLUSTER_CHOICES], {
    ...account,
    cwd: "/",
    env: SERVER_ENVIRONMENT,
    encoding: "utf8",
  });
  fs.rmSync(passwordFile);
  if (made.status === 0) return;
  throw new Error(`PostgreSQL could not create ${cluster}: ${made.error?.message ?? made.stderr.trim()}`);
}

function writeOwned(file: string, text: string, account: Account): void {
  fs.writeFileSync(file, text, { mode: 0o600 });
  own(file, account);
}

function own(path: string, { uid, gid }: Account): void {
  if (uid !== undefined && gid !== undefined) fs.chownSync(path, uid, gid);
}
