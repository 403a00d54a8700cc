import { createHash, randomUUID } from "node:crypto";
import type { Sql, TransactionSql } from "postgres";
import { newWebhookSecret } from "../../shared/signature.ts";
import type { TestDatabase } from "../support/database.ts";
import { noteBody } from "../support/secret-register.ts";

/** A caller as shared/credentials.ts hands it over. */
export type Caller = Record<string, string | boolean>;

/** An organization with its owner, a live key and a test key, as the database knows them. */
export interface Tenant {
  organization_id: string;
  user_id: string;
  session: Caller;
  live: Caller;
  test: Caller;
  /** Id of the live key. */
  key_id: string;
  /** Id of the live provider. */
  provider_id: string;
}

export const worker: Caller = { project_secret: true };

/** What the database keeps of a secret: SHA-256 as hex. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Calls a function of mailpipe_api over `sql`, whatever its role. Rejects with the PostgresError. */
export async function rpc<Answer = Record<string, unknown>>(
  sql: Sql | TransactionSql,
  name: string,
  args: Record<string, unknown>,
): Promise<Answer> {
  noteBody(name, args);
  const list = Object.keys(args).map((arg, index) => `${arg} => $${index + 1}`);
  const rows = await sql.unsafe<{ answer: Answer }[]>(
    `select mailpipe_api.${name}(${list.join(", ")}) as answer`,
    Object.values(args) as never[],
  );
  return rows[0]?.answer as Answer;
}

/** Signs a user up and in, as Auth leaves it. */
export async function signIn(database: TestDatabase, email: string): Promise<Caller & { user_id: string }> {
  const [user_id, session_id] = [randomUUID(), randomUUID()];
  const auth = database.sql("supabase_admin");
  await auth`insert into auth.users (id, email, email_confirmed_at) values (${user_id}, ${email}, now())`;
  await auth`insert into auth.sessions (id, user_id) values (${session_id}, ${user_id})`;
  return { user_id, session_id };
}

/** Founds an organization the way an operator does, and gives it keys and a provider the way its owner does. */
export async function foundTenant(database: TestDatabase, name: string): Promise<Tenant> {
  const email = `owner@${name.toLowerCase()}.example`;
  const session = await signIn(database, email);
  const [made] = await database.sql("postgres")<{ id: string }[]>`
    select mailpipe.create_organization(${name}, ${email}) as id
  `;
  const api = database.sql("service_role");
  const issue = async (environment: "live" | "test") => {
    const p_hash = hashOf(randomUUID());
    const scopes = [
      "mail:send",
      "mail:read",
      "mailboxes:read",
      "mailboxes:write",
      "keys:write",
      "providers:read",
    ];
    const { id } = await rpc(api, "issue_key", {
      p_caller: { ...session, environment },
      p_hash,
      p_last_four: "test",
      p_request: { name: environment, environment, scopes, expires_at: null },
    });
    return { id: String(id), caller: { key_hash: p_hash } };
  };
  const [live, test] = [await issue("live"), await issue("test")];
  const provider = await rpc(api, "create_provider", {
    p_caller: session,
    p_request: {
      kind: "smtp",
      name: "ours",
      credentials: { host: "smtp.example", password: `secret of ${name}` },
      inbound_token_hash: hashOf(randomUUID()),
      inbound_secret: newWebhookSecret(),
    },
  });
  return {
    organization_id: made?.id ?? "",
    user_id: session.user_id,
    session,
    live: live.caller,
    test: test.caller,
    key_id: live.id,
    provider_id: String(provider["id"]),
  };
}

/** A body as send-mail hands it to send_mail. */
export function mail(subject: string): Record<string, unknown> {
  return {
    from: { email: "news@acme.example", name: "Acme" },
    to: [{ email: "ada@example.com", name: null }],
    cc: [],
    bcc: [],
    reply_to: [],
    subject,
    snippet: subject,
    text: subject,
    html: null,
    headers: {},
    tags: [],
    metadata: {},
    attachments: [],
  };
}

/** Sends a mail; its id. */
export async function send(
  sql: Sql,
  caller: Caller,
  subject: string,
  key: string | null = null,
): Promise<string> {
  const sent = await rpc(sql, "send_mail", {
    p_caller: caller,
    p_idempotency_key: key,
    p_request: mail(subject),
  });
  return String(sent["id"]);
}
