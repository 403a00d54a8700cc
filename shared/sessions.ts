import { AuthClient } from "@supabase/auth-js";
import { apiUrl, publishableKey } from "./environment.ts";
import { ApiError } from "./errors.ts";

/** Who a session token speaks for. That the session still exists is for the SQL call to say. */
export interface SessionClaims {
  user_id: string;
  session_id: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

// Auth answers in milliseconds, and a caller of ours is waiting.
const patienceMs = 10_000;

type Auth = InstanceType<typeof AuthClient>;

let client: { url: string; auth: Auth } | undefined;

function auth(): Auth {
  const url = `${apiUrl()}/auth/v1`;
  if (client?.url === url) return client.auth;
  const made = new AuthClient({
    url,
    headers: { apikey: publishableKey() },
    autoRefreshToken: false,
    persistSession: false,
    detectSessionInUrl: false,
    fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(patienceMs) }),
  });
  client = { url, auth: made };
  return made;
}

function decodedPart(part: string): Record<string, unknown> {
  const bytes = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  const value: unknown = JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (c) => c.charCodeAt(0))));
  if (typeof value !== "object" || value === null) throw new Error("not an object");
  return value as Record<string, unknown>;
}

/** Refused before anybody is asked: an algorithm Auth does not sign with, or a token that names another use. */
function looksLikeSession(token: string): boolean {
  const [head = "", body = "", signature = ""] = token.split(".");
  if (signature === "" || token.length > 8_192) return false;
  try {
    const { alg, crit } = decodedPart(head);
    const claims = decodedPart(body);
    if (!["ES256", "RS256", "HS256"].includes(String(alg)) || crit !== undefined) return false;
    // An HS256 token is confirmed by the project's own Auth, some of which name no issuer; whoever checks a
    // signature locally must know whose it is.
    const issuerFits = claims["iss"] === `${apiUrl()}/auth/v1` ||
      (alg === "HS256" && claims["iss"] === undefined);
    return issuerFits && isUserClaims(claims);
  } catch {
    return false;
  }
}

/** getClaims compares `exp` and leaves `nbf` (RFC 7519 §4.1.5). */
function isPast(notBefore: unknown): boolean {
  return notBefore === undefined || (typeof notBefore === "number" && notBefore <= Date.now() / 1000);
}

/** A text, because a list of one id reads like that id. */
function isUuid(claim: unknown): boolean {
  return typeof claim === "string" && uuid.test(claim);
}

function isUserClaims(claims: Record<string, unknown>): boolean {
  const audience = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  return audience.includes("authenticated") && claims["role"] === "authenticated" &&
    claims["is_anonymous"] !== true &&
    typeof claims["exp"] === "number" && isPast(claims["nbf"]) && isUuid(claims["sub"]) &&
    isUuid(claims["session_id"]);
}

/** No status, a 5xx or a 429: Auth said nothing about the token. */
function saidNothing(status: number | undefined): boolean {
  return status === undefined || status === 0 || status === 429 || status >= 500;
}

/**
 * Verifies a Supabase session token: signature and expiry by getClaims (ES256 and RS256 locally against the
 * project's key set, HS256 by asking Auth), issuer, audience, role and `nbf` here, because getClaims leaves them unchecked.
 * Throws `invalid_credential`, or `auth_unavailable` when Auth had to be asked and did not answer.
 */
export async function verifySession(token: string): Promise<SessionClaims> {
  if (!looksLikeSession(token)) throw new ApiError("invalid_credential");
  const { data, error } = await auth().getClaims(token).catch(() => ({ data: null, error: null }));
  if (error !== null && saidNothing(error.status)) throw new ApiError("auth_unavailable");
  const claims = data?.claims;
  if (claims === undefined || !isUserClaims(claims)) throw new ApiError("invalid_credential");
  return { user_id: claims.sub, session_id: String(claims.session_id) };
}
