import type { z } from "zod";
import { credentialSchemas } from "../schemas/providers.ts";
import type { CredentialCheck, OutgoingMessage, Provider, Verdict } from "./contract.ts";
import { sandbox } from "./sandbox.ts";

/** A provider with its credentials in hand. */
export interface Account {
  kind: string;
  /** True where an unknown outcome may be asked again with the same message. */
  idempotent: boolean;
  check(): Promise<CredentialCheck>;
  send(message: OutgoingMessage): Promise<Verdict>;
}

function account<Credentials>(provider: Provider<Credentials>, credentials: Credentials): Account {
  const { kind, idempotent } = provider;
  return {
    kind,
    idempotent,
    check: () => provider.check(credentials),
    send: (message) => provider.send(message, credentials),
  };
}

/** An adapter is loaded when its kind is used: nodemailer stays out of a worker that has no SMTP account. */
const adapters: Record<string, (credentials: unknown) => Promise<Account>> = {
  sandbox: () => Promise.resolve(account(sandbox, {})),
  smtp: async (given) => account((await import("./smtp.ts")).smtp, parsed(credentialSchemas.smtp, given)),
  resend: async (given) =>
    account((await import("./resend.ts")).resend, parsed(credentialSchemas.resend, given)),
};

function parsed<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  return schema.parse(given);
}

/**
 * Opens an account of a kind. `credentials` are what the kind's schema takes or yields (shared/schemas/providers.ts);
 * the sandbox takes any. Null for a kind there is not; throws ZodError for credentials that are not of that kind.
 */
export async function openAccount(kind: string, credentials: unknown): Promise<Account | null> {
  const open = Object.hasOwn(adapters, kind) ? adapters[kind] : undefined;
  return open === undefined ? null : await open(credentials);
}
