import { randomBytes, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import providers from "../../functions/providers/index.ts";
import { ensureCertificates } from "../../supabase/local/certificates.ts";
import { startMailServer } from "../../supabase/local/mail-server.ts";
import { ask } from "./ask.ts";
import { trust } from "./certificates.ts";

/** An SMTP account on loopback, with the TLS of a real one. */
export interface SmtpAccount {
  credentials: Record<string, unknown>;
  /** What it took, newest first. */
  mails(): Promise<{ from: string; to: string[]; raw: string }[]>;
  close(): Promise<void>;
}

/** A provider as it was connected; the secret is there for kind `smtp`. */
export interface Connected {
  id: string;
  inbound_url: string;
  inbound_secret: string;
}

/** Starts an SMTP server whose certificate this process trusts. The egress guard still has to let it through. */
export async function startSmtpAccount(): Promise<SmtpAccount> {
  const folder = join(tmpdir(), `mailpipe-smtp-${randomUUID()}`);
  const { ca, leaf } = await ensureCertificates(folder, new Date());
  const login = { username: "postbox", password: randomBytes(12).toString("base64url") };
  const server = await startMailServer({ folder: join(folder, "mail"), leaf, ...login });
  const distrust = trust(ca);
  return {
    credentials: { host: "127.0.0.1", port: server.smtpPort, secure: true, ...login },
    async mails() {
      const { data } = await (await fetch(server.mailUrl)).json() as {
        data: { id: string; from: string; to: string[] }[];
      };
      return await Promise.all(data.map(async ({ id, from, to }) => {
        return { from, to, raw: await (await fetch(`${server.mailUrl}/${id}`)).text() };
      }));
    },
    async close() {
      distrust();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Connects an account over `providers`. */
export async function connect(token: string, kind: string, credentials: unknown): Promise<Connected> {
  const answer = await ask(providers, "providers", { token, body: { kind, name: kind, credentials } });
  if (answer.status !== 201) throw new Error(`providers answered ${answer.status} ${answer.text}`);
  const { id, inbound_url, inbound_secret } = answer.body;
  return { id: String(id), inbound_url: String(inbound_url), inbound_secret: String(inbound_secret) };
}
