import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { verifySession } from "../../shared/sessions.ts";
import { type Api, signUp, startApi } from "../support/api.ts";
import { type AuthStandIn, startAuth } from "../support/auth-stand-in.ts";
import { answerJson, startStandIn } from "../support/stand-in.ts";

type Claims = Record<string, unknown>;

const now = () => Math.floor(Date.now() / 1000);
const refused = { code: "invalid_credential" };
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const unsigned = (header: Claims, claims: Claims, signature = "") =>
  `${base64url(header)}.${base64url(claims)}.${signature}`;

function signedWithSecret(claims: Claims, secret: string | Uint8Array, header: Claims = {}): Promise<string> {
  const key = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT", ...header }).sign(key);
}

describe("a session of a project that signs with ES256", () => {
  let auth: AuthStandIn;

  beforeAll(async () => {
    auth = await startAuth();
  });
  afterAll(() => auth.close());
  beforeEach(() => {
    vi.stubEnv("SUPABASE_URL", auth.url);
    vi.stubEnv("SUPABASE_PUBLISHABLE_KEYS", JSON.stringify({ default: "sb_publishable_test" }));
    auth.failure = null;
    auth.calls.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  test("is verified here, with one look at the key set for all of them", async () => {
    for (let round = 0; round < 3; round++) {
      const claims = auth.claims();
      const { sub: user_id, session_id } = claims;
      expect(await verifySession(await auth.sign(claims))).toEqual({ user_id, session_id });
    }
    expect(auth.calls.map(({ path }) => path)).toEqual(["/auth/v1/.well-known/jwks.json"]);
  });

  test("may name several audiences, among them authenticated", async () => {
    const token = await auth.sign({ ...auth.claims(), aud: ["other", "authenticated"] });
    await expect(verifySession(token)).resolves.toBeDefined();
  });

  test.each<[string, (claims: Claims) => Claims]>([
    ["without exp", ({ exp: _, ...claims }) => claims],
    ["with exp as text", (claims) => ({ ...claims, exp: "9999999999" })],
    ["of another project", (claims) => ({ ...claims, iss: "https://other.supabase.co/auth/v1" })],
    ["whose issuer only starts like ours", (claims) => ({ ...claims, iss: `${claims["iss"]}/x` })],
    ["without issuer", ({ iss: _, ...claims }) => claims],
    ["for another audience", (claims) => ({ ...claims, aud: "anon" })],
    ["without audience", ({ aud: _, ...claims }) => claims],
    ["of role service_role", (claims) => ({ ...claims, role: "service_role" })],
    ["of role anon", (claims) => ({ ...claims, role: "anon" })],
    ["of no role", ({ role: _, ...claims }) => claims],
    ["of an anonymous user", (claims) => ({ ...claims, is_anonymous: true })],
    ["valid from the next minute on", (claims) => ({ ...claims, nbf: now() + 60 })],
    ["with nbf as text", (claims) => ({ ...claims, nbf: "0" })],
    ["without a session", ({ session_id: _, ...claims }) => claims],
    ["whose subject is no user id", (claims) => ({ ...claims, sub: "admin" })],
    ["whose subject is a list of one", (claims) => ({ ...claims, sub: [claims["sub"]] })],
    ["whose session is a list of one", (claims) => ({ ...claims, session_id: [claims["session_id"]] })],
    ["of ten kilobytes", (claims) => ({ ...claims, user_metadata: { note: "x".repeat(10_000) } })],
  ])("is refused unasked: one %s, although Auth's key signed it", async (_, change) => {
    await expect(verifySession(await auth.sign(change(auth.claims())))).rejects.toMatchObject(refused);
    expect(auth.calls).toEqual([]);
  });

  test("with one claim twice counts the last, as whoever checks the signature does", async () => {
    const claims = JSON.stringify(auth.claims());
    const last = await auth.sign(claims.replace(/}$/, ',"role":"service_role"}'));
    await expect(verifySession(last)).rejects.toMatchObject(refused);
    const first = await auth.sign(claims.replace(/^{/, '{"role":"service_role",'));
    await expect(verifySession(first)).resolves.toBeDefined();
  });

  test("ends at the second its exp names", async () => {
    const claims = auth.claims();
    const token = await auth.sign(claims);
    vi.useFakeTimers({ toFake: ["Date"], now: Number(claims["exp"]) * 1000 - 1 });
    await expect(verifySession(token)).resolves.toBeDefined();
    for (const late of [0, 1000]) {
      vi.setSystemTime(Number(claims["exp"]) * 1000 + late);
      await expect(verifySession(token)).rejects.toMatchObject(refused);
    }
  });

  test("begins at the second its nbf names", async () => {
    const token = await auth.sign({ ...auth.claims(), nbf: now() - 1 });
    await expect(verifySession(token)).resolves.toBeDefined();
  });

  test.each(["none", "None", "NONE", ""])("is refused with algorithm %j", async (alg) => {
    const claims = auth.claims();
    for (const signature of ["", "e30"]) {
      const token = unsigned({ alg, typ: "JWT", kid: auth.jwk.kid }, claims, signature);
      await expect(verifySession(token)).rejects.toMatchObject(refused);
    }
    expect(auth.calls).toEqual([]);
  });

  test("is refused when a claim was changed after it was signed", async () => {
    const claims = auth.claims();
    const [head, , signature] = (await auth.sign(claims)).split(".");
    const other = base64url({ ...claims, sub: auth.claims()["sub"] });
    await expect(verifySession(`${head}.${other}.${signature}`)).rejects.toMatchObject(refused);
  });

  test("is refused when signed as HS256 with the public key, in whatever form", async () => {
    const spki = await exportSPKI(await importJWK(auth.jwk, "ES256") as CryptoKey);
    for (const secret of [JSON.stringify(auth.jwk), spki, spki.trim(), String(auth.jwk.x)]) {
      for (const header of [{ kid: auth.jwk.kid }, {}]) {
        const token = await signedWithSecret(auth.claims(), secret, header);
        await expect(verifySession(token)).rejects.toMatchObject(refused);
      }
    }
  });

  test("is refused when its key is of another algorithm than its header says", async () => {
    const [, body, signature] = (await auth.sign(auth.claims())).split(".");
    const head = base64url({ alg: "RS256", kid: auth.jwk.kid, typ: "JWT" });
    await expect(verifySession(`${head}.${body}.${signature}`)).rejects.toMatchObject(refused);
    const { privateKey } = await generateKeyPair("RS256");
    const rs = await new SignJWT(auth.claims()).setProtectedHeader({ alg: "RS256", kid: auth.jwk.kid })
      .sign(privateKey);
    await expect(verifySession(rs)).rejects.toMatchObject(refused);
  });

  test.each(["unknown", "../../user", "/etc/passwd", "https://evil.example/jwks.json", "__proto__"])(
    "is refused with key id %j",
    async (kid) => {
      const token = await auth.sign(auth.claims(), { kid });
      await expect(verifySession(token)).rejects.toMatchObject(refused);
      for (const { path } of auth.calls) {
        expect(path).toMatch(/^\/auth\/v1\/(\.well-known\/jwks\.json|user)$/);
      }
    },
  );

  test("is refused without a key id: Auth is asked and does not know it", async () => {
    const token = await auth.sign(auth.claims(), { kid: undefined });
    await expect(verifySession(token)).rejects.toMatchObject(refused);
    expect(auth.calls.map(({ path }) => path)).toEqual(["/auth/v1/user"]);
  });

  test("never has its key fetched from where its header says", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwk = { ...(await exportJWK(publicKey)), kid: auth.jwk.kid, alg: "ES256" };
    const thief = await startStandIn((_, response) => answerJson(response, 200, { keys: [jwk] }));
    const lures: Claims[] = [{ jku: thief.url }, { x5u: thief.url }, { jwk }, {
      jwk,
      jku: thief.url,
      kid: "mine",
    }];
    for (const lure of lures) {
      const token = await new SignJWT(auth.claims())
        .setProtectedHeader({ alg: "ES256", kid: auth.jwk.kid, ...lure }).sign(privateKey);
      await expect(verifySession(token)).rejects.toMatchObject(refused);
    }
    expect(thief.calls).toEqual([]);
    await thief.close();
  });

  test("is refused with an extension in its header that nobody here understands", async () => {
    // RFC 7515 §4.1.11: what `crit` names must be understood, or the signature does not count.
    const token = await auth.sign(auth.claims(), { crit: ["x-rule"], "x-rule": true });
    await expect(verifySession(token)).rejects.toMatchObject(refused);
    expect(auth.calls).toEqual([]);
  });

  test.each(["a.b.c", "..", "e30.e30.e30", "bnVsbA.bnVsbA.e30", "W10.W10.e30", "e30.e30", "%%%.%%%.%%%"])(
    "is refused when it is not one: %s",
    async (token) => {
      await expect(verifySession(token)).rejects.toMatchObject(refused);
      expect(auth.calls).toEqual([]);
    },
  );

  test("signed with a secret counts when Auth confirms it, and only then", async () => {
    const { iss: _, ...claims } = auth.claims();
    const token = await signedWithSecret(claims, crypto.getRandomValues(new Uint8Array(32)));
    await expect(verifySession(token)).rejects.toMatchObject(refused);
    auth.confirmed.add(token);
    await expect(verifySession(token)).resolves.toMatchObject({ session_id: claims["session_id"] });
  });

  test.each([
    [500, "{}"],
    [502, "<html>bad gateway</html>"],
    [503, ""],
    [429, '{"code":429,"error_code":"over_request_rate_limit","msg":"slow down"}'],
    [403, "<html>a firewall</html>"],
  ])("cannot be checked, and is not called bad, when Auth answers %i %s", async (status, body) => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    auth.failure = { status, body };
    const secret = await signedWithSecret(auth.claims(), crypto.getRandomValues(new Uint8Array(32)));
    const unknownKey = await auth.sign(auth.claims(), { kid: "not-seen-yet" });
    for (const token of [secret, unknownKey]) {
      await expect(verifySession(token)).rejects.toMatchObject({ code: "auth_unavailable" });
    }
  });

  test("cannot be checked when Auth cannot be reached, or stays silent for ten seconds", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const token = await signedWithSecret(auth.claims(), crypto.getRandomValues(new Uint8Array(32)));
    const deadline = vi.spyOn(AbortSignal, "timeout").mockReturnValue(
      AbortSignal.abort(new DOMException("", "TimeoutError")),
    );
    await expect(verifySession(token)).rejects.toMatchObject({ code: "auth_unavailable" });
    expect(deadline).toHaveBeenCalledWith(10_000);
    deadline.mockRestore();

    const gone = await startStandIn(() => undefined);
    await gone.close();
    vi.stubEnv("SUPABASE_URL", gone.url);
    const claims = { ...auth.claims(), iss: `${gone.url}/auth/v1` };
    const orphan = await signedWithSecret(claims, crypto.getRandomValues(new Uint8Array(32)));
    await expect(verifySession(orphan)).rejects.toMatchObject({ code: "auth_unavailable" });
  });
});

describe("a session of a project that signs with a secret", () => {
  let api: Api;

  beforeAll(async () => {
    api = await startApi("hosted");
  });
  afterAll(() => api.close());

  test("names its user and session", async () => {
    const { access_token, user_id, session_id } = await signUp(api, "ada@example.com");
    expect(await verifySession(access_token)).toEqual({ user_id, session_id });
  });

  test("is refused when another secret signed it, or its claims were changed", async () => {
    const { access_token } = await signUp(api, "grace@example.com");
    const [head, body, signature] = access_token.split(".");
    const claims = JSON.parse(Buffer.from(body ?? "", "base64url").toString()) as Claims;
    const forged = await signedWithSecret(claims, crypto.getRandomValues(new Uint8Array(32)));
    const changed = `${head}.${base64url({ ...claims, exp: now() + 86_400 })}.${signature}`;
    for (const token of [forged, changed]) await expect(verifySession(token)).rejects.toMatchObject(refused);
  });

  test("ends with the user's sign-out", async () => {
    const { access_token } = await signUp(api, "joan@example.com");
    await fetch(`${api.url}/auth/v1/logout`, {
      method: "POST",
      headers: { apikey: api.publishableKey, authorization: `Bearer ${access_token}` },
    });
    await expect(verifySession(access_token)).rejects.toMatchObject(refused);
  });
});
