import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { bootstrapDatabase } from "./bootstrap.ts";
import { ensureCertificates } from "./certificates.ts";
import { keptFile, refuseOtherMigrations, rememberMigrations, type Secrets } from "./data-folder.ts";
import { type FunctionsHost, startFunctions } from "./functions.ts";
import type { Gateway } from "./gateway.ts";
import { type MailServer, startMailServer } from "./mail-server.ts";
import { pushMigrations } from "./migrate.ts";
import { answerOutgoing } from "./outgoing.ts";
import { ownConnections } from "./own-connections.ts";
import { freePort } from "./ports.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { requiredBinary } from "./required-binary.ts";
import { startRest } from "./rest.ts";
import { createStorage } from "./storage.ts";
import { startTicker } from "./ticker.ts";

/** What every part of one stack is told. */
export interface Setting {
  dataFolder: string;
  apiUrl: string;
  secrets: Secrets;
  /** The operator's variables. */
  environment: Record<string, string | undefined>;
  /** How to end what was started, in the order it was. */
  endings: (() => unknown)[];
}

/** The database that hosted projects call so too. */
export const DATABASE = "postgres";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MIGRATIONS = join(ROOT, "supabase/migrations");
const ON_THIS_MACHINE = "127.0.0.0/8,::1/128";

/** Ports the data folder remembers, so that addresses outlive a restart where they can. */
interface Ports {
  postgres: number;
  smtp: number;
  mail: number;
}

/** Starts PostgreSQL with what a hosted project has and every migration applied, by the real CLI. */
export async function startDatabase({ dataFolder, endings }: Setting): Promise<PostgresServer> {
  requiredBinary(ROOT, "The Supabase CLI", "node_modules/.bin/supabase");
  await refuseOtherMigrations(dataFolder, MIGRATIONS);
  const ports = keptFile<Partial<Ports>>(dataFolder, "ports.json");
  const kept = await ports.read();
  const port = await freePort(kept?.postgres);
  const log = appendTo(join(dataFolder, "postgres.log"), endings);
  const server = await startPostgres({ dataDir: join(dataFolder, "postgres"), port, durable: true, log });
  endings.push(server.stop);
  await ports.write({ ...kept, postgres: port });
  await bootstrapDatabase(server, DATABASE, { scheduler: true });
  await pushMigrations(server.url("postgres", DATABASE));
  await rememberMigrations(dataFolder, MIGRATIONS);
  return server;
}

/** Starts the SMTP server with its mail reader; also gives the authority that signed its certificate. */
export async function startMail(
  { dataFolder, secrets, endings }: Setting,
): Promise<MailServer & { caFile: string }> {
  const { caFile, leaf } = await ensureCertificates(join(dataFolder, "certificates"), new Date());
  const ports = keptFile<Partial<Ports>>(dataFolder, "ports.json");
  const kept = await ports.read();
  const server = await startMailServer({
    folder: join(dataFolder, "mail"),
    leaf,
    username: secrets.smtp_username,
    password: secrets.smtp_password,
    smtpPort: kept?.smtp,
    mailPort: kept?.mail,
  });
  endings.push(server.close);
  await ports.write({ ...kept, smtp: server.smtpPort, mail: server.mailPort });
  return { ...server, caFile };
}

/** Starts the functions with the environment a hosted project gives them, and the operator's `MAILPIPE_…`. */
export async function startHost(setting: Setting, caFile: string): Promise<FunctionsHost> {
  const { dataFolder, apiUrl, secrets } = setting;
  const operators = Object.entries(setting.environment).filter(([name]) => name.startsWith("MAILPIPE_"));
  const host = await startFunctions({
    root: ROOT,
    logFile: join(dataFolder, "functions.log"),
    cacheFolder: join(dataFolder, "deno"),
    environment: {
      SUPABASE_URL: apiUrl,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: secrets.secret_key }),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: secrets.publishable_key }),
      DENO_CERT: caFile,
      // The stand-ins and a developer's receivers are on this machine.
      MAILPIPE_EGRESS_ALLOW: ON_THIS_MACHINE,
      ...Object.fromEntries(operators) as Record<string, string>,
    },
  });
  setting.endings.push(host.stop);
  return host;
}

/** Opens the gateway to the functions, PostgREST and Auth, and Storage. */
export function openRoutes(
  setting: Setting,
  { gateway, database, functions }: { gateway: Gateway; database: PostgresServer; functions: FunctionsHost },
): void {
  const { dataFolder, apiUrl, secrets, endings } = setting;
  const keys = {
    publishableKey: secrets.publishable_key,
    secretKey: secrets.secret_key,
    jwtSecret: secrets.jwt_secret,
  };
  const rest = startRest({ url: database.url("supabase_admin", DATABASE), apiUrl, ...keys });
  endings.push(rest.close);
  const sql = postgres(database.url("authenticator", DATABASE), { max: 4, onnotice: () => {} });
  endings.push(() => sql.end({ timeout: 5 }));
  const storage = createStorage({ dir: join(dataFolder, "storage"), sql, ...keys });
  gateway.open({
    functionsPort: functions.port,
    handlers: {
      "/rest/v1": rest.fetch,
      "/auth/v1": rest.fetch,
      "/storage/v1": storage.fetch,
      "/local/v1": answerOutgoing(ownConnections, functions.outgoing),
    },
  });
}

/** Starts what pg_cron and pg_net do on a hosted project. */
export function startClock({ dataFolder, endings }: Setting, database: PostgresServer): void {
  const ticker = startTicker({
    jobsUrl: database.url("postgres", DATABASE),
    requestsUrl: database.url("supabase_admin", DATABASE),
    log: appendTo(join(dataFolder, "ticker.log"), endings),
  });
  endings.push(ticker.stop);
}

function appendTo(file: string, endings: Setting["endings"]): (line: string) => void {
  const stream = createWriteStream(file, { flags: "a", mode: 0o600 });
  endings.push(() => stream.end());
  return (line) => void stream.write(`${new Date().toISOString()} ${line}\n`);
}
