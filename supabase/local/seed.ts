import postgres from "postgres";
import { scopes } from "../../shared/access.ts";
import { keptFile } from "./data-folder.ts";
import { OWNER_EMAIL, ownerSession } from "./owner-session.ts";

/** The mailbox and sender of the ready-made organization. */
export const MAILBOX = "hello@example.com";

/** What the ready-made organization consists of. Keys and inbound secret are shown once, so they are kept. */
export interface Seed {
  organization_id: string;
  provider_id: string;
  inbound_url: string;
  inbound_secret: string;
  smtp_port: number;
  mailbox: string;
  live_key: string;
  test_key: string;
}

/** The organization with a fresh session of its owner. */
export type SeededStack = Seed & { access_token: string };

export interface SeedOptions {
  folder: string;
  apiUrl: string;
  publishableKey: string;
  ownerPassword: string;
  /** As role `postgres`. */
  databaseUrl: string;
  smtp: { host: string; port: number; username: string; password: string };
}

type Json = Record<string, unknown>;
/** Calls a function as the owner and resolves to its answer; rejects on any status but 2xx. */
type Call = (method: string, path: string, body: Json, environment?: string) => Promise<Json>;

class Refused extends Error {
  constructor(readonly status: number, what: string) {
    super(`The ready-made organization could not be made: ${what}`);
  }
}

/**
 * Makes the ready-made organization once per data folder, over Auth, SQL and HTTP as an operator would, and
 * signs its owner in. Each step is written down as it is done, so a first start that was cut short goes on.
 */
export async function seed(options: SeedOptions): Promise<SeededStack> {
  const file = keptFile<Partial<Seed>>(options.folder, "seed.json");
  const made = await file.read() ?? {};
  const access_token = await ownerSession(options);
  const call = ownersCall(options, access_token, () => made.organization_id);
  for (const [key, make] of steps(options, call)) {
    if (made[key] !== undefined) continue;
    Object.assign(made, await make());
    await file.write(made);
  }
  const seeded = made as Seed;
  if (seeded.smtp_port !== options.smtp.port) {
    await call("PATCH", `providers/${seeded.provider_id}`, { credentials: credentials(options) });
    await file.write({ ...seeded, smtp_port: options.smtp.port });
  }
  return { ...seeded, access_token };
}

function steps(options: SeedOptions, call: Call): [keyof Seed, () => Promise<Partial<Seed>>][] {
  return [
    ["organization_id", async () => ({ organization_id: await foundOrganization(options.databaseUrl) })],
    ["provider_id", () => connectProvider(options, call)],
    ["mailbox", () => createMailbox(call)],
    ["live_key", async () => ({ live_key: await issueKey(call, "live") })],
    ["test_key", async () => ({ test_key: await issueKey(call, "test") })],
  ];
}

async function foundOrganization(databaseUrl: string): Promise<string> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`update mailpipe.settings set organization_creation = 'open'`;
    const [row] = await sql`select mailpipe.create_organization('Example', ${OWNER_EMAIL}) as id`;
    return String(row?.id);
  } finally {
    await sql.end();
  }
}

async function connectProvider(options: SeedOptions, call: Call): Promise<Partial<Seed>> {
  const provider = await call("POST", "providers", {
    kind: "smtp",
    name: "Local mail",
    credentials: credentials(options),
  });
  return {
    provider_id: String(provider.id),
    inbound_url: String(provider.inbound_url),
    inbound_secret: String(provider.inbound_secret),
    smtp_port: options.smtp.port,
  };
}

function credentials({ smtp }: SeedOptions): Json {
  return { ...smtp, secure: true };
}

async function createMailbox(call: Call): Promise<Partial<Seed>> {
  await call("POST", "mailboxes", { address: MAILBOX, display_name: "Hello" }).catch((error: Refused) => {
    // A start that was killed after this step, before it was written down, left the mailbox behind.
    if (error.status !== 409) throw error;
  });
  return { mailbox: MAILBOX };
}

async function issueKey(call: Call, environment: "live" | "test"): Promise<string> {
  const body = { name: `Ready-made ${environment} key`, environment, scopes };
  return String((await call("POST", "issue-key", body, environment)).key);
}

function ownersCall(options: SeedOptions, token: string, organization: () => string | undefined): Call {
  return async (method, path, body, environment = "live") => {
    const answer = await fetch(`${options.apiUrl}/functions/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        apikey: options.publishableKey,
        "content-type": "application/json",
        "x-organization-id": organization() ?? "",
        "x-mailpipe-environment": environment,
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Refused(answer.status, `${method} ${path} answered ${answer.status} ${text}`);
    return JSON.parse(text) as Json;
  };
}
