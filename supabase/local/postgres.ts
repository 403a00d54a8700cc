import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Account,
  POSTGRES_MAJOR,
  postgresFolder,
  reachable,
  serverAccount,
  SHARED_ROOT,
} from "./postgres-binary.ts";
import { retireOrphan } from "./postgres-orphan.ts";

/** The roles that log in. `supabase_admin` is the superuser; `postgres`, as on a hosted project, is not. */
export const LOGIN_ROLES = ["supabase_admin", "postgres", "authenticator"] as const;
export type LoginRole = (typeof LOGIN_ROLES)[number];
export type Passwords = Record<LoginRole, string>;

export interface PostgresOptions {
  /** Made if missing. Root may end up elsewhere (`PostgresServer.dataDir`) when the server's account cannot enter it. */
  dataDir: string;
  port: number;
  /** False turns fsync off: only for data that may be lost, as a test run's. */
  durable: boolean;
  /** Receives each line the server logs. */
  log?: (line: string) => void;
}

export interface PostgresServer {
  port: number;
  dataDir: string;
  passwords: Passwords;
  /** A connection string; `postgres` and `authenticator` exist only after `bootstrapDatabase`. */
  url(role: LoginRole, database: string): string;
  stop(): Promise<void>;
}

/** A connection string for a server on loopback. Passwords are base64url, so nothing needs escaping. */
export function databaseUrl(port: number, role: LoginRole, passwords: Passwords, database: string): string {
  return `postgresql://${role}:${passwords[role]}@127.0.0.1:${port}/${database}`;
}

/**
 * Starts PostgreSQL on loopback TCP only, creating the cluster on first use. It ends with `stop()` or when this
 * process ends in any way. Throws one readable sentence for a port in use, a missing binary, and a data folder
 * that another major version made, that another stack uses or that belongs to someone else.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const account = serverAccount();
  const folder = await postgresFolder(account);
  const dataDir = openDataDir(resolve(options.dataDir), account);
  const cluster = join(dataDir, "cluster");
  const passwords = readPasswords(join(dataDir, "passwords.json"));
  refuseOtherVersion(cluster);
  await retireOrphan(cluster);
  await refuseBusyPort(options.port);
  if (!existsSync(cluster)) createCluster(folder, cluster, passwords.supabase_admin, account);

  const keeper = spawnKeeper(join(folder, "bin/postgres"), serverArguments(cluster, options), account);
  const ended = new Promise<void>((done) => keeper.once("exit", () => done()));
  await untilReady(keeper, options.log ?? (() => {}));
  return {
    port: options.port,
    dataDir,
    passwords,
    url: (role, database) => databaseUrl(options.port, role, passwords, database),
    async stop() {
      keeper.stdin?.end();
      await ended;
    },
  };
}

function openDataDir(wanted: string, account: Account): string {
  if (existsSync(join(wanted, "cluster"))) return refuseForeign(wanted, account);
  if (account.uid === undefined) return makeDataDir(wanted, account);
  const made = makeDataDir(wanted, account);
  if (reachable(made, account)) return made;
  mkdirSync(SHARED_ROOT, { recursive: true });
  chmodSync(SHARED_ROOT, 0o755);
  return makeDataDir(
    join(SHARED_ROOT, `data-${createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`),
    account,
  );
}

function refuseForeign(dataDir: string, account: Account): string {
  const owner = statSync(join(dataDir, "cluster")).uid;
  if (owner === (account.uid ?? process.getuid?.() ?? owner)) return dataDir;
  throw new Error(
    `The data folder ${dataDir} belongs to another account (uid ${owner}): start the stack as that one, ` +
      "or choose another folder with MAILPIPE_DATA.",
  );
}

function makeDataDir(dataDir: string, account: Account): string {
  mkdirSync(dataDir, { recursive: true });
  own(dataDir, account);
  return dataDir;
}

function own(path: string, { uid, gid }: Account): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function readPasswords(file: string): Passwords {
  if (!existsSync(file)) {
    const made = Object.fromEntries(LOGIN_ROLES.map((role) => [role, randomBytes(24).toString("base64url")]));
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, "utf8")) as Passwords;
}

function refuseOtherVersion(cluster: string): void {
  const file = join(cluster, "PG_VERSION");
  const found = existsSync(file) ? readFileSync(file, "utf8").trim() : POSTGRES_MAJOR;
  if (found === POSTGRES_MAJOR) return;
  throw new Error(
    `The data folder ${cluster} was made by PostgreSQL ${found} and this stack runs ${POSTGRES_MAJOR}: ` +
      "move it away or choose another with MAILPIPE_DATA.",
  );
}

async function refuseBusyPort(port: number): Promise<void> {
  const probe = createServer();
  await new Promise<void>((free, busy) => {
    probe.once(
      "error",
      () =>
        busy(
          new Error(`Port ${port} on 127.0.0.1 is in use by another program; MAILPIPE_PORT moves the stack.`),
        ),
    );
    probe.listen(port, "127.0.0.1", () => probe.close(() => free()));
  });
}

/** Under another name first: an initdb that was killed half-way must not look like a cluster at the next start. */
function createCluster(folder: string, cluster: string, password: string, account: Account): void {
  const partial = `${cluster}.new`;
  const passwordFile = `${cluster}.password`;
  rmSync(partial, { recursive: true, force: true });
  writeOwned(passwordFile, password, account);
  const made = spawnSync(
    join(folder, "bin/initdb"),
    [
      ...[
        "-D",
        partial,
        "-U",
        "supabase_admin",
        "--pwfile",
        passwordFile,
        "--auth",
        "scram-sha-256",
        "--no-sync",
      ],
      // The builtin provider sorts alike on every machine; an operating system's locales do not.
      ...[
        "--encoding",
        "UTF8",
        "--locale-provider",
        "builtin",
        "--builtin-locale",
        "C.UTF-8",
        "--locale",
        "C",
      ],
    ],
    { ...account, cwd: "/", env: SERVER_ENVIRONMENT, encoding: "utf8" },
  );
  rmSync(passwordFile);
  if (made.status !== 0) {
    throw new Error(`PostgreSQL could not create ${cluster}: ${made.error?.message ?? made.stderr.trim()}`);
  }
  // The Vault stand-in's root key lives beside the tables and not in them, so no dump carries it (vault.sql).
  writeOwned(join(partial, "vault.key"), randomBytes(32).toString("hex"), account);
  renameSync(partial, cluster);
}

function writeOwned(file: string, text: string, account: Account): void {
  writeFileSync(file, text, { mode: 0o600 });
  own(file, account);
}

// A caller's PG* variables, locale or time zone must not reach the server.
const SERVER_ENVIRONMENT = { LC_ALL: "C", TZ: "UTC" };

function serverArguments(cluster: string, { port, durable }: PostgresOptions): string[] {
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    timezone: "UTC",
    // As on a hosted project, whose publications need it.
    wal_level: "logical",
    shared_preload_libraries: "pg_stat_statements",
    // Statement parameters carry credentials; an error line must not repeat them.
    log_parameter_max_length_on_error: "0",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
  };
  return [
    "-D",
    cluster,
    "-p",
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

function spawnKeeper(command: string, args: string[], account: Account): ChildProcess {
  const keeper = fileURLToPath(new URL("postgres-keeper.mjs", import.meta.url));
  const order = JSON.stringify({ command, args, account, env: SERVER_ENVIRONMENT });
  return spawn(process.execPath, [keeper, order], { stdio: ["pipe", "ignore", "pipe"], detached: true });
}

function untilReady(keeper: ChildProcess, log: (line: string) => void): Promise<void> {
  const lines: string[] = [];
  return new Promise((ready, failed) => {
    keeper.stderr?.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n").filter(Boolean)) {
        log(line);
        if (lines.length < 20) lines.push(line);
        if (line.includes("database system is ready to accept connections")) ready();
      }
    });
    keeper.once("exit", () => failed(new Error(`PostgreSQL did not start:\n${lines.join("\n")}`)));
  });
}
