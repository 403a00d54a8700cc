import { createHash, timingSafeEqual } from "node:crypto";
import type { Access } from "./access.ts";
import { clientAddress } from "./client-address.ts";
import { secretKeys } from "./environment.ts";
import { ApiError } from "./errors.ts";
import { type Environment, hashKey, isWholeKey } from "./keys.ts";
import { verifySession } from "./sessions.ts";

/** What the SQL call authenticates. Built here and nowhere else. */
export type Caller =
  | { key_hash: string; address?: string; counted?: true }
  | { user_id: string; session_id: string; organization_id?: string; environment?: string }
  | { worker_hash: string }
  | { project_secret: true }
  | { inbound_hash: string };

/** The token of an Authorization header that holds exactly one; null for any other. */
export function bearerOf(request: Request): string | null {
  return /^bearer +([^\s,]+)$/i.exec(request.headers.get("authorization")?.trim() ?? "")?.[1] ?? null;
}

/** The caller for a further call of a request whose first call has counted it. */
export function counted(caller: Caller): Caller {
  return "key_hash" in caller ? { ...caller, counted: true } : caller;
}

/** The environment a caller works in: a key's own, the one a session picked, live where it picked none. */
export function environmentOf(request: Request, caller: Caller): Environment {
  if ("key_hash" in caller) return bearerOf(request)?.startsWith("mp_test_") ? "test" : "live";
  return "user_id" in caller && caller.environment === "test" ? "test" : "live";
}

function bearer(request: Request): string | null {
  const header = request.headers.get("authorization");
  if (header === null || header.trim() === "") return null;
  const token = bearerOf(request);
  if (token === null) throw new ApiError("invalid_credential");
  return token;
}

function isProjectSecret(token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  // Every key is compared, and by digest: neither which one matched nor how far shows in the time it took.
  return secretKeys().map((key) => timingSafeEqual(digest(key), digest(token))).includes(true);
}

function workerCaller(request: Request): Caller {
  const token = bearer(request) ?? request.headers.get("apikey");
  if (token === null) throw new ApiError("missing_credential");
  if (isProjectSecret(token)) return { project_secret: true };
  if (/^mpw_[0-9a-f]{64}$/.test(token)) return { worker_hash: hashKey(token) };
  throw new ApiError("invalid_credential");
}

function keyCaller(request: Request, token: string): Caller {
  const address = clientAddress(request);
  return { key_hash: hashKey(token), ...(address === null ? {} : { address }) };
}

async function sessionCaller(request: Request, token: string): Promise<Caller> {
  const claims = await verifySession(token);
  const organization = request.headers.get("x-organization-id");
  const environment = request.headers.get("x-mailpipe-environment");
  if (organization !== null && !/^org_[0-9A-Z]{26}$/.test(organization)) {
    throw new ApiError("invalid_header", "x-organization-id must be org_ and 26 characters");
  }
  if (environment !== null && environment !== "live" && environment !== "test") {
    throw new ApiError("invalid_header", "x-mailpipe-environment must be live or test");
  }
  return {
    ...claims,
    ...(organization === null ? {} : { organization_id: organization }),
    ...(environment === null ? {} : { environment }),
  };
}

/** The token a provider's URL carries, as the database knows it. */
export function connectionCaller(token: string): Caller {
  return { inbound_hash: hashKey(token) };
}

/**
 * Reads who calls from the Authorization header, by shape alone: an API key by its checksum, a session by its
 * signature, a worker by its secret. Whether it is still live is decided by the SQL call that does the work.
 * Null where nobody needs to be named. Throws `missing_credential`, `invalid_credential`, `key_in_browser`,
 * `invalid_header` or `auth_unavailable`; a presented but bad credential is never treated as none.
 */
export async function readCaller(request: Request, access: Access): Promise<Caller | null> {
  if ("connection" in access) return null;
  if ("worker" in access) return workerCaller(request);
  const token = bearer(request);
  if (token === null && "public" in access) {
    const apikey = request.headers.get("apikey");
    // The publishable key comes along with every browser's call and says nothing.
    return apikey !== null && isProjectSecret(apikey) ? { project_secret: true } : null;
  }
  if (token === null) throw new ApiError("missing_credential");
  if (token.startsWith("mp_")) {
    if (!isWholeKey(token)) throw new ApiError("invalid_credential");
    if (request.headers.has("origin")) throw new ApiError("key_in_browser");
    return keyCaller(request, token);
  }
  if ("public" in access && (token.startsWith("mpw_") || isProjectSecret(token))) {
    return workerCaller(request);
  }
  if (token.split(".").length !== 3) throw new ApiError("invalid_credential");
  return await sessionCaller(request, token);
}
