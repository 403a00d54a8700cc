import { AuthClient } from "@supabase/auth-js";
import { apiUrl, publishableKey } from "./environment.ts";
import { ApiError } from "./errors.ts";

/** Who a session token speaks for. That the session still exists is for the SQL call to say. */
export interface SessionClaims {
  user_id: string;
  session_id: string;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

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

function isUserClaims(claims: Record<string, unknown>): boolean {
  const audience = Array.isArray(claims["aud"]) ? claims["aud"] : [claims["aud"]];
  return audience.includes("authenticated") && claims["role"] === "authenticated" &&
    claims["is_anonymous"] !== true &&
    typeof claims["exp"] === "number" && uuid.test(String(claims["sub"])) &&
    uuid.test(String(claims["session_id"]));
}

/**
 * Verifies a Supabase session token: signature and expiry by getClaims (ES256 and RS256 locally against the
 * project's key set, HS256 by asking Auth), issuer, audience and role here, because getClaims leaves them unchecked.
 * Throws `invalid_credential`, or `auth_unavailable` when Auth had to be asked and did not answer.
 */
export async function verifySession(token: string): Promise<SessionClaims> {
  if (!looksLikeSession(token)) throw new ApiError("invalid_credential");
  const { data, error } = await auth().getClaims(token).catch(() => ({ data: null, error: null }));
  if (error !== null && (error.status ?? 0) >= 500) throw new ApiError("auth_unavailable");
  const claims = data?.claims;
  if (claims === undefined || !isUserClaims(claims)) throw new ApiError("invalid_credential");
  return { user_id: claims.sub, session_id: String(claims.session_id) };
}
