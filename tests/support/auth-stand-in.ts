import { randomUUID } from "node:crypto";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import { answerJson, type StandIn, startStandIn } from "./stand-in.ts";

/** A stand-in for a project's Auth that signs sessions with ES256 and serves its key set. */
export interface AuthStandIn extends StandIn {
  /** The public key as the key set has it. */
  jwk: JWK & { kid: string };
  /** Tokens `GET /user` confirms; it refuses all others, as Auth does. */
  confirmed: Set<string>;
  /** When set, what every call is answered with. */
  failure: { status: number; body: string } | null;
  /** Claims of a session as Auth issues them, good for an hour. */
  claims(): Record<string, unknown>;
  /** Signs claims, or JSON as written, as Auth would; `header` replaces parts of the protected header. */
  sign(claims: Record<string, unknown> | string, header?: Record<string, unknown>): Promise<string>;
}

/** Starts an Auth with a key pair of its own. The caller closes it and points SUPABASE_URL at it. */
export async function startAuth(): Promise<AuthStandIn> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const kid = randomUUID();
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig", key_ops: ["verify"] };
  const confirmed = new Set<string>();
  const server = await startStandIn((call, response) => {
    if (auth.failure !== null) return void response.writeHead(auth.failure.status).end(auth.failure.body);
    if (call.path === "/auth/v1/.well-known/jwks.json") return answerJson(response, 200, { keys: [jwk] });
    const token = (call.headers["authorization"] ?? "").replace("Bearer ", "");
    if (confirmed.has(token)) return answerJson(response, 200, { id: randomUUID(), aud: "authenticated" });
    answerJson(response, 403, { code: 403, error_code: "bad_jwt", msg: "invalid JWT" });
  });
  const now = Math.floor(Date.now() / 1000);
  const auth: AuthStandIn = {
    ...server,
    jwk,
    confirmed,
    failure: null,
    claims: () => ({
      iss: `${server.url}/auth/v1`,
      sub: randomUUID(),
      aud: "authenticated",
      role: "authenticated",
      session_id: randomUUID(),
      is_anonymous: false,
      iat: now,
      exp: now + 3600,
    }),
    sign(claims, header = {}) {
      const payload = new TextEncoder().encode(typeof claims === "string" ? claims : JSON.stringify(claims));
      const crit = Object.fromEntries(((header["crit"] ?? []) as string[]).map((name) => [name, true]));
      return new CompactSign(payload).setProtectedHeader({ alg: "ES256", kid, typ: "JWT", ...header })
        .sign(privateKey, { crit });
    },
  };
  return auth;
}
