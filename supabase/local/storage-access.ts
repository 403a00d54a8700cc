import { type JWTPayload, jwtVerify } from "jose";
import { StorageRefusal } from "./storage-errors.ts";

/** What tells callers apart; the same values lite is given (rest.ts). */
export interface StorageKeys {
  publishableKey: string;
  secretKey: string;
  jwtSecret: string;
}

/** As whom the database is asked. */
export interface Principal {
  role: "anon" | "authenticated" | "service_role";
  claims: JWTPayload;
}

/**
 * The caller of a request: a platform key in `Authorization` or `apikey`, else a session token. As hosted, a
 * platform key is opaque and maps to its role; anything else must be a token this project signed.
 */
export async function principalOf(request: Request, keys: StorageKeys): Promise<Principal> {
  const apikey = request.headers.get("apikey") ?? "";
  const bearer = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? apikey;
  const credential = bearer.startsWith("sb_") ? apikey || bearer : bearer;
  if (credential === keys.secretKey) return { role: "service_role", claims: { role: "service_role" } };
  if (credential === keys.publishableKey) return { role: "anon", claims: { role: "anon" } };
  return { role: "authenticated", claims: await verified(credential, keys.jwtSecret) };
}

/** The claims of a token signed by this project and not expired. */
export async function verified(token: string, jwtSecret: string): Promise<JWTPayload> {
  const key = new TextEncoder().encode(jwtSecret);
  const result = await jwtVerify(token, key, { algorithms: ["HS256"] }).catch((error: Error) => {
    throw new StorageRefusal(403, "Unauthorized", error.message);
  });
  return result.payload;
}
