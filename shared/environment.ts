import process from "node:process";
import { Fault } from "./errors.ts";

/** The only file that reads environment variables. Everything is read at call time, so tests may set it late. */

/** A variable the platform must provide was absent; a deployment fault, never a caller's. */
export class MissingEnvironment extends Fault {
  constructor(name: string) {
    super(`environment variable ${name} is not set`);
  }
}

type Runtime = { Deno?: { env: { get(name: string): string | undefined } } };

function read(name: string): string | undefined {
  const { Deno } = globalThis as Runtime;
  const value = Deno === undefined ? process.env[name] : Deno.env.get(name);
  return value === "" ? undefined : value;
}

function required(name: string): string {
  const value = read(name);
  if (value === undefined) throw new MissingEnvironment(name);
  return value;
}

function namedKeys(plural: string, legacy: string): string[] {
  const named = read(plural);
  const keys = named === undefined ? [] : Object.values(JSON.parse(named) as Record<string, string>);
  const old = read(legacy);
  return old === undefined ? keys : [...keys, old];
}

function first(keys: string[], name: string): string {
  const key = keys[0];
  if (key === undefined) throw new MissingEnvironment(name);
  return key;
}

/** Origin of the project's API gateway, without a trailing slash. Throws MissingEnvironment. */
export function apiUrl(): string {
  return required("SUPABASE_URL").replace(/\/+$/, "");
}

/** Where this project's functions answer, without a trailing slash. Throws MissingEnvironment. */
export function functionsUrl(): string {
  return `${apiUrl()}/functions/v1`;
}

/** Every secret key of the project: each of them is allowed to wake a worker. */
export function secretKeys(): string[] {
  return namedKeys("SUPABASE_SECRET_KEYS", "SUPABASE_SERVICE_ROLE_KEY");
}

/** The secret key our own calls to the gateway carry. Throws MissingEnvironment. */
export function secretKey(): string {
  return first(secretKeys(), "SUPABASE_SECRET_KEYS");
}

/**
 * The secret key as the gateway takes it: an sb_… key is opaque and travels as apikey alone; a legacy one is a JWT and
 * must be the bearer too. Throws MissingEnvironment.
 */
export function secretKeyHeaders(): Record<string, string> {
  const key = secretKey();
  return { apikey: key, ...(key.startsWith("sb_") ? {} : { authorization: `Bearer ${key}` }) };
}

/** The publishable key Auth asks for. Throws MissingEnvironment. */
export function publishableKey(): string {
  return first(namedKeys("SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_ANON_KEY"), "SUPABASE_PUBLISHABLE_KEYS");
}

/**
 * How many proxies in front of the functions are trusted to append to `x-forwarded-for`: 1, the platform's own gateway,
 * unless `MAILPIPE_TRUSTED_HOPS` says 0 to 9. Throws a Fault for anything else.
 */
export function trustedHops(): number {
  const hops = read("MAILPIPE_TRUSTED_HOPS") ?? "1";
  if (!/^\d$/.test(hops)) throw new Fault("MAILPIPE_TRUSTED_HOPS is not a number from 0 to 9");
  return Number(hops);
}

/** CIDR ranges the operator opened for outgoing connections, as written: "127.0.0.0/8,::1/128". */
export function egressAllowList(): string[] {
  return (read("MAILPIPE_EGRESS_ALLOW") ?? "").split(",").map((range) => range.trim()).filter(Boolean);
}

/** A provider's API origin: its documented one unless the operator replaced it for the whole installation. */
export function providerUrl(kind: string, documented: string): string {
  return (read(`MAILPIPE_PROVIDER_URL_${kind.toUpperCase()}`) ?? documented).replace(/\/+$/, "");
}
