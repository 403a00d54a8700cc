import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { listen } from "./ports.ts";
import { type Account, postgresFolder, serverAccount } from "./postgres-binary.ts";
import { createCluster, openDataDir, refuseOtherVersion, SERVER_ENVIRONMENT } from "./postgres-cluster.ts";
import { retireOrphan } from "./postgres-orphan.ts";
import { readIfPresent, writePrivateFile } from "./private-file.ts";

/** The roles that log in. `supabase_admin` is the superuser; `postgres`, as on a hosted project, is not. */
export const LOGIN_ROLES = ["supabase_admin", "postgres", "authenticator"] as const;
export type LoginRole = (typeof LOGIN_ROLES)[number];
export type Passwords = Record<LoginRole, string>;

export interface PostgresOptions {
  /** Made if missing. As root the data may end up elsewhere (`PostgresServer.dataDir`, see postgres-cluster.ts). */
  dataDir: string;
  port: number;
  /** False turns fsync off: only for data that may be lost, as a test run's. */
  durable: boolean;
  /** Settings of the server beside ours, by their names in postgresql.conf. */
  settings?: Record<string, string>;
  /** Receives each line the server logs. */
  log?: (line: string) => void;
}

export interface PostgresServer {
  port: number;
  dataDir: string;
  passwords: Passwords;
  /** A connection string; `postgres` and `authenticator` exist only after `bootstrapDatabase`. */
  url(role: LoginRole, database: string): string;
  /** Settles when the server process is gone. */
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
  refuseOtherVersion(cluster);
  const passwords = await readPasswords(join(dataDir, "passwords.json"));
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

async function readPasswords(file: string): Promise<Passwords> {
  const kept = await readIfPresent(file);
  if (kept !== undefined) return JSON.parse(kept) as Passwords;
  const fresh = () => randomBytes(24).toString("base64url");
  const passwords: Passwords = { supabase_admin: fresh(), postgres: fresh(), authenticator: fresh() };
  await writePrivateFile(file, JSON.stringify(passwords));
  return passwords;
}

/** Asked before initdb, so that a clash leaves no half-made folder behind. */
async function refuseBusyPort(port: number): Promise<void> {
  const probe = createServer();
  await listen(probe, port).catch(() => {
    throw new Error(
      `Port ${port} on 127.0.0.1 is in use by another program: choose another with MAILPIPE_PORT.`,
    );
  });
  await new Promise((closed) => probe.close(closed));
}

function serverArguments(cluster: string, { port, durable, settings }: PostgresOptions): string[] {
  const all = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    timezone: "UTC",
    // As on a hosted project, whose publications need it.
    wal_level: "logical",
    shared_preload_libraries: "pg_stat_statements",
    // Statement parameters carry credentials; an error line must not repeat them.
    log_parameter_max_length_on_error: "0",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", cluster, "-p", String(port), ...flags];
}

function spawnKeeper(command: string, args: string[], account: Account): ChildProcess {
  const keeper = fileURLToPath(new URL("postgres-keeper.mjs", import.meta.url));
  const order = JSON.stringify({ command, args, account, env: SERVER_ENVIRONMENT });
  // Its own session, so that it outlives a signal sent to our whole group and can still stop the server.
  return spawn(process.execPath, [keeper, order, String(process.pid)], {
    stdio: ["pipe", "ignore", "pipe"],
    detached: true,
  });
}

function untilReady(keeper: ChildProcess, log: (line: string) => void): Promise<void> {
  const lines: string[] = [];
  return new Promise((ready, failed) => {
    // By lines: a chunk may end in the middle of one.
    if (keeper.stderr !== null) {
      createInterface({ input: keeper.stderr }).on("line", (line) => {
        if (line === "") return;
        log(line);
        if (lines.length < 20) lines.push(line);
        if (line.includes("database system is ready to accept connections")) ready();
      });
    }
    keeper.once("exit", () => failed(new Error(`PostgreSQL did not start:\n${lines.join("\n")}`)));
  });
}
