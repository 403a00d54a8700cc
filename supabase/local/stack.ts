import { resolve } from "node:path";
import { openSecrets } from "./data-folder.ts";
import { openGateway } from "./gateway.ts";
import { OWNER_EMAIL } from "./owner-session.ts";
import { seed, type SeededStack } from "./seed.ts";
import { removeStackFile, type StackFile, writeStackFile } from "./stack-file.ts";
import {
  DATABASE,
  openRoutes,
  type Setting,
  startClock,
  startDatabase,
  startHost,
  startMail,
} from "./stack-parts.ts";

/** The name its certificate has; it listens on 127.0.0.1. */
const SMTP_HOST = "localhost";

export interface StackOptions {
  /** Everything the stack keeps lies here; made if missing. Two stacks need two folders. */
  dataFolder: string;
  /** The gateway's port on loopback; 0 takes any free one. */
  port: number;
  /** Variables of the operator: those called MAILPIPE_… reach the functions, as secrets do on a project. */
  environment: Record<string, string | undefined>;
}

/** A running stack. */
export interface Stack {
  /** What stack.json says. */
  file: StackFile;
  /** Process id of the functions' host, which a crash test may kill: it comes back by itself. */
  functionsPid(): number | undefined;
  /** Ends every part and removes stack.json from the data folder. The data stays. */
  stop(): Promise<void>;
}

/**
 * Starts the whole stack and resolves when its functions answer and its organization is there. Rejects with a
 * sentence for the operator, and leaves nothing running, where a port is taken, a binary is missing, or the data
 * folder is from another version or in use. If this process dies, so do all of the stack's.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const endings: Setting["endings"] = [];
  const stop = async () => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    return { ...await startParts(options, endings), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: StackOptions, endings: Setting["endings"]): Promise<Omit<Stack, "stop">> {
  // First, so that a port in use is said before any file is touched.
  const gateway = await openGateway(options.port);
  endings.push(gateway.close);
  const { environment } = options;
  const dataFolder = resolve(options.dataFolder);
  const apiUrl = `http://127.0.0.1:${gateway.port}`;
  const secrets = await openSecrets(dataFolder);
  const setting: Setting = { dataFolder, apiUrl, secrets, environment, endings };

  const database = await startDatabase(setting);
  const mail = await startMail(setting);
  const functions = await startHost(setting, mail.caFile);
  openRoutes(setting, { gateway, database, functions });
  await untilHealthy(apiUrl);
  const databaseUrl = database.url("postgres", DATABASE);
  const seeded = await furnish(setting, databaseUrl, mail.smtpPort);
  const file = describe(setting, seeded, databaseUrl, mail);
  startClock(setting, database);
  await writeStackFile(dataFolder, file);
  endings.push(() => removeStackFile(dataFolder));
  return { file, functionsPid: functions.pid };
}

/** The first answer of `health` also tells the database where its workers are. */
async function untilHealthy(apiUrl: string): Promise<void> {
  const answer = await fetch(`${apiUrl}/functions/v1/health`);
  if (answer.ok) return;
  throw new Error(`The functions are not healthy: ${answer.status} ${await answer.text()}`);
}

function furnish(setting: Setting, databaseUrl: string, smtpPort: number): Promise<SeededStack> {
  const { dataFolder: folder, apiUrl, secrets } = setting;
  return seed({
    folder,
    apiUrl,
    publishableKey: secrets.publishable_key,
    ownerPassword: secrets.owner_password,
    databaseUrl,
    smtp: {
      host: SMTP_HOST,
      port: smtpPort,
      username: secrets.smtp_username,
      password: secrets.smtp_password,
    },
  });
}

function describe(
  { apiUrl, secrets }: Setting,
  seeded: SeededStack,
  databaseUrl: string,
  mail: { smtpPort: number; mailUrl: string },
): StackFile {
  return {
    api_url: apiUrl,
    functions_url: `${apiUrl}/functions/v1`,
    db_url: databaseUrl,
    publishable_key: secrets.publishable_key,
    secret_key: secrets.secret_key,
    organization_id: seeded.organization_id,
    keys: { live: seeded.live_key, test: seeded.test_key },
    owner: { email: OWNER_EMAIL, password: secrets.owner_password, access_token: seeded.access_token },
    from: seeded.mailbox,
    mailbox: seeded.mailbox,
    // The path was shown once; the port may have moved since.
    inbound_url: `${apiUrl}${new URL(seeded.inbound_url).pathname}`,
    inbound_secret: seeded.inbound_secret,
    smtp: { host: SMTP_HOST, port: mail.smtpPort },
    mail_url: mail.mailUrl,
  };
}
