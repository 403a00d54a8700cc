import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import listKeys from "../../functions/list-keys/index.ts";
import organizations from "../../functions/organizations/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { hashKey, keyChecksum, mintKey } from "../../shared/keys.ts";
import { openGateway } from "../../supabase/local/gateway.ts";
import { type Api, type Session, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { type AuthStandIn, startAuth } from "../support/auth-stand-in.ts";
import { everyRoute, openingOf, pathOf } from "../support/functions.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";

type Claims = Record<string, unknown>;

let api: Api;
/** Signs with ES256, as a project made today does; PostgREST and the database are those of `api`. */
let auth: AuthStandIn;
let gateway: Awaited<ReturnType<typeof openGateway>>;
let projectUrl: string;
let tenant: Tenant;
let other: Tenant;
let viewer: Session;
let workerSecret: string;
let log: string[];

/** Hands a request on to another origin. */
function handOn(origin: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = request.method === "GET" ? null : await request.arrayBuffer();
    const answer = await fetch(`${origin}${pathname}${search}`, {
      method: request.method,
      headers: request.headers,
      body,
    });
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers: answer.headers });
  };
}

beforeAll(async () => {
  log = keepLog();
  api = await startApi();
  [tenant, other] = [await foundTenant(api), await foundTenant(api, "other")];
  viewer = await addMember(api, tenant, "viewer");
  const [vaulted] = await api.database.sql("postgres")<{ secret: string }[]>`
    select decrypted_secret as secret from vault.decrypted_secrets where name = 'mailpipe_worker_secret'
  `;
  workerSecret = vaulted?.secret ?? "";
  auth = await startAuth();
  gateway = await openGateway(0);
  gateway.open({
    functionsPort: () => undefined,
    handlers: { "/rest/v1": handOn(api.url), "/auth/v1": handOn(auth.url) },
  });
  projectUrl = `http://127.0.0.1:${gateway.port}`;
  vi.stubEnv("SUPABASE_URL", projectUrl);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await gateway.close();
  await Promise.all([auth.close(), api.close()]);
});
beforeEach(() => void (api.calls.length = 0));

const now = () => Math.floor(Date.now() / 1000);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Claims of a session that exists. */
function claimsOf({ user_id: sub, session_id }: Session): Claims {
  return { ...auth.claims(), iss: `${projectUrl}/auth/v1`, sub, session_id };
}

const who = (token: string, headers: Record<string, string> = {}) =>
  ask(whoami, "whoami", { token, headers });

function hs256(claims: Claims, secret: string, header: Claims = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT", ...header })
    .sign(new TextEncoder().encode(secret));
}

/** A token's parts with another header, the signature kept. */
async function under(header: Claims): Promise<string> {
  const [, body, signature] = (await auth.sign(claimsOf(tenant.owner))).split(".");
  return `${part({ typ: "JWT", kid: auth.jwk.kid, ...header })}.${body}.${signature}`;
}

const owner = () => claimsOf(tenant.owner);
const publicKey = async () => await exportSPKI(await importJWK(auth.jwk, "ES256") as CryptoKey);
const stranger = async (header: Claims, alg: "ES256" | "RS256" = "ES256") =>
  new SignJWT(owner()).setProtectedHeader({ alg, kid: auth.jwk.kid, ...header })
    .sign((await generateKeyPair(alg)).privateKey);

describe("A21: a session", () => {
  test("as Auth signed it is the owner's", async () => {
    const answer = await who(await auth.sign(owner()));
    expect(answer.body).toMatchObject({ kind: "session", id: tenant.owner.user_id, role: "owner" });
  });

  test.each<[string, () => Promise<string> | string]>([
    ["alg none, unsigned", () => `${part({ alg: "none", typ: "JWT" })}.${part(owner())}.`],
    ["alg none, signed with something", () => `${part({ alg: "none" })}.${part(owner())}.e30`],
    ["alg None under a good signature", () => under({ alg: "None" })],
    ["alg HS256 under a good signature", () => under({ alg: "HS256" })],
    ["alg RS256 under a good signature", () => under({ alg: "RS256" })],
    ["alg ES384 under a good signature", () => under({ alg: "ES384" })],
    ["alg as a list", () => under({ alg: ["ES256"] })],
    ["RS256 of a stranger", () => stranger({}, "RS256")],
    ["ES256 of a stranger under our kid", () => stranger({})],
    ["HS256 with the public key", async () => hs256(owner(), await publicKey())],
    [
      "HS256 with the public key, under our kid",
      async () => hs256(owner(), await publicKey(), { kid: auth.jwk.kid }),
    ],
    ["HS256 with the JWK", () => hs256(owner(), JSON.stringify(auth.jwk), { kid: auth.jwk.kid })],
    ["HS256 with the publishable key", () => hs256(owner(), api.publishableKey)],
    ["HS256 with the user's own API key", () => hs256(owner(), tenant.live)],
    ["a kid that is a path", () => stranger({ kid: "../../../etc/passwd" })],
    ["a kid that is an address", () => stranger({ kid: "https://evil.example/jwks.json" })],
    ["a kid that is SQL", () => stranger({ kid: "' or 1=1 --" })],
    ["a kid of a prototype", () => stranger({ kid: "__proto__" })],
    ["jku", () => stranger({ jku: "https://evil.example/jwks.json" })],
    ["x5u", () => stranger({ x5u: "https://evil.example/cert.pem" })],
    ["its own jwk", () => stranger({ jwk: auth.jwk })],
    ["crit", () => auth.sign(owner(), { crit: ["b64"], b64: true })],
    ["without exp", () => auth.sign((({ exp: _, ...rest }) => rest)(owner()))],
    ["with exp null", () => auth.sign({ ...owner(), exp: null })],
    ["expired by a second", () => auth.sign({ ...owner(), exp: now() - 1 })],
    ["valid from the next minute on", () => auth.sign({ ...owner(), nbf: now() + 60 })],
    [
      "of another project",
      () => auth.sign({ ...owner(), iss: "https://abcdefghijklmnopqrst.supabase.co/auth/v1" }),
    ],
    [
      "of an issuer that begins like ours",
      () => auth.sign({ ...owner(), iss: `${projectUrl}/auth/v1.evil.example` }),
    ],
    ["for anon", () => auth.sign({ ...owner(), aud: "anon" })],
    ["of role service_role", () => auth.sign({ ...owner(), role: "service_role" })],
    ["of role supabase_admin", () => auth.sign({ ...owner(), role: "supabase_admin" })],
    [
      "of role service_role, the last of two",
      () => auth.sign(JSON.stringify(owner()).replace(/}$/, ',"role":"service_role"}')),
    ],
    ["of an anonymous user", () => auth.sign({ ...owner(), is_anonymous: true })],
    [
      "that is the old anon key",
      () => auth.sign({ iss: "supabase", role: "anon", exp: now() + 60, aud: "authenticated" }),
    ],
    ["of ten kilobytes", () => auth.sign({ ...owner(), note: "x".repeat(10_000) })],
    ["whose subject is SQL", () => auth.sign({ ...owner(), sub: "' or '1'='1" })],
    ["whose subject is a list", () => auth.sign({ ...owner(), sub: [tenant.owner.user_id] })],
    ["of a user who has not this session", () => auth.sign({ ...owner(), session_id: viewer.session_id })],
    ["of a session there is not", () => auth.sign({ ...owner(), session_id: randomUUID() })],
    ["with a byte after its signature", async () => `${await auth.sign(owner())}A`],
    ["with another's claims", async () => {
      const [head, , signature] = (await auth.sign(claimsOf(viewer))).split(".");
      return `${head}.${part(owner())}.${signature}`;
    }],
  ])("is 401: %s", async (_, token) => {
    const forged = await token();
    const answer = await who(forged);
    expect(refusal(answer)).toEqual([401, "invalid_credential"]);
    expect(answer.text).not.toMatch(/jwt|jose|signature|kid|claim/i);
  });
});

describe("A22: one credential where another belongs", () => {
  const routes = everyRoute();

  test("is 401 on every route, and asks nobody: no fall-through to a good one beside it", async () => {
    const bad = await auth.sign({ ...owner(), exp: now() - 1 });
    for (const each of await routes) {
      if ("connection" in each.route.access) continue;
      const name = `${each.route.method} ${each.route.path}`;
      for (
        const headers of [{ apikey: api.secretKey }, { apikey: api.publishableKey }, {
          cookie: `sb-access-token=${await auth.sign(owner())}`,
        }]
      ) {
        const answer = await ask(each.fn, pathOf(each, tenant), {
          method: each.route.method,
          headers: { ...headers, authorization: `Bearer ${bad}`, "content-type": "application/json" },
          ...(each.route.body === undefined ? {} : { raw: "{}" }),
        });
        expect([name, ...refusal(answer)]).toEqual([name, 401, "invalid_credential"]);
      }
      const { access } = each.route;
      if ("worker" in access || "public" in access) continue;
      for (const token of [api.secretKey, api.publishableKey, workerSecret, hashKey(tenant.live)]) {
        const question = { ...openingOf(each, api, tenant), token, method: each.route.method };
        const raw = each.route.body === undefined
          ? {}
          : { raw: "{}", headers: { "content-type": "application/json" } };
        expect([name, ...refusal(await ask(each.fn, pathOf(each, tenant), { ...question, ...raw }))]).toEqual(
          [
            name,
            401,
            "invalid_credential",
          ],
        );
      }
    }
    expect(api.calls).toEqual([]);
  });

  test("a key that is named like a session's part, and a session named like a key, are neither", async () => {
    const session = await auth.sign(owner());
    for (
      const token of [`mp_live_${session}`, `${tenant.live}.${tenant.live}.${tenant.live}`, `mpw_${session}`]
    ) {
      expect(refusal(await who(token))).toEqual([401, "invalid_credential"]);
    }
    expect(api.calls).toEqual([]);
  });
});

describe("A23: privilege", () => {
  const loud = () => ({
    user_metadata: { role: "owner", organization_id: other.organization_id, is_admin: true },
    app_metadata: {
      role: "owner",
      organization_id: other.organization_id,
      organizations: { [tenant.organization_id]: "owner", [other.organization_id]: "owner" },
      scopes: ["keys:read", "data:delete"],
    },
    organization_id: other.organization_id,
    environment: "test",
    scopes: ["keys:read"],
    user_role: "owner",
    key_hash: hashKey(tenant.live),
    project_secret: true,
  });

  test("is the membership's and not any claim's, signed or not", async () => {
    const token = await auth.sign({ ...claimsOf(viewer), ...loud() });
    expect((await who(token)).body).toMatchObject({
      id: viewer.user_id,
      organization_id: tenant.organization_id,
      environment: "live",
      role: "viewer",
    });
    expect(refusal(await ask(listKeys, "list-keys", { token }))).toEqual([403, "scope_missing"]);
    expect(refusal(await who(token, { "x-organization-id": other.organization_id }))).toEqual([
      404,
      "not_found",
    ]);
  });

  test("ends with the membership at the next call, whatever the token still says", async () => {
    const member = await addMember(api, tenant, "admin");
    const token = await auth.sign({ ...claimsOf(member), ...loud() });
    const sql = api.database.sql("postgres");
    expect((await ask(listKeys, "list-keys", { token })).status).toBe(200);
    await sql`update mailpipe.members set role = 'viewer' where user_id = ${member.user_id}`;
    expect(refusal(await ask(listKeys, "list-keys", { token }))).toEqual([403, "scope_missing"]);
    await sql`delete from mailpipe.members where user_id = ${member.user_id}`;
    expect(refusal(await who(token))).toEqual([400, "organization_required"]);
    const named = { "x-organization-id": tenant.organization_id };
    expect(refusal(await who(token, named))).toEqual([404, "not_found"]);
    expect((await ask(organizations, "organizations", { token })).body.data).toEqual([]);
    const change = { method: "PATCH", token, body: { name: "Mine" } };
    const answer = await ask(organizations, `organizations/${tenant.organization_id}`, change);
    expect([400, 404]).toContain(answer.status);
  });
});

describe("A6, A41: what is not the key but comes close", () => {
  test.each<[string, (key: string, id: string) => string]>([
    ["its beginning", (key) => key.slice(0, 30) + "x".repeat(10)],
    ["its end", (key) => `mp_live_${"x".repeat(12)}${key.slice(20, 40)}`],
    ["its last four", (key) => `mp_live_${"x".repeat(28)}${key.slice(36, 40)}`],
    ["it, for the other environment", (key) => key.slice(0, 40).replace("live", "test")],
    ["its id", (_, id) => `mp_live_${id.slice(4).padEnd(32, "0")}`],
    ["its hash, cut", (key) => `mp_live_${hashKey(key).slice(0, 32)}`],
    ["it in capitals", (key) => `mp_live_${key.slice(8, 40).toUpperCase()}`],
  ])("%s is answered to the byte like a key nobody issued", async (_, near) => {
    const { id, key } = await issue(await auth.sign(owner()));
    const headers = { "x-request-id": "same", "x-forwarded-for": "198.51.100.7" };
    const shown = async (token: string) => {
      const answer = await who(token, headers);
      return { status: answer.status, text: answer.text, headers: Object.fromEntries(answer.headers) };
    };
    const body = near(key, id);
    const close = await shown(body + keyChecksum(body));
    expect(close.status).toBe(401);
    expect(close).toEqual(await shown(mintKey("live").plain));
    expect(log.at(-2)).not.toContain(id);
  });

  test("a stored hash is no credential in any place one goes", async () => {
    const hash = hashKey(tenant.live);
    for (
      const token of [hash, `mpw_${hash}`, `mp_live_${hash}`, `sha256:${hash}`, `${hash}.${hash}.${hash}`]
    ) {
      expect(refusal(await who(token)), token).toEqual([401, "invalid_credential"]);
    }
    const receive = (await everyRoute()).find(({ route }) => "connection" in route.access);
    const path = receive?.route.path.replace("{kind}", "mime").replace("{token}", hash) ?? "";
    const headers = { "content-type": "message/rfc822" };
    const answer = await ask(receive?.fn ?? whoami, path, { method: "POST", raw: "raw", headers });
    expect(answer.status).toBe(401);
  });
});
