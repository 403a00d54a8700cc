import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Access } from "../../shared/access.ts";
import { connectionCaller, readCaller } from "../../shared/credentials.ts";
import { hashKey, mintKey } from "../../shared/keys.ts";
import { type AuthStandIn, startAuth } from "../support/auth-stand-in.ts";

const scope: Access = { scope: "mail:send" };
const worker: Access = { worker: true };
const open: Access = { public: true };
const organization = "org_01JDPZ00000000000000000000";

const key = mintKey("live");
const secretKey = `sb_secret_${randomBytes(16).toString("base64url")}`;
const publishableKey = `sb_publishable_${randomBytes(16).toString("base64url")}`;
const workerSecret = `mpw_${randomBytes(32).toString("hex")}`;
const refused = { code: "invalid_credential" };

let auth: AuthStandIn;
let session: string;
let claims: Record<string, unknown>;

beforeAll(async () => {
  auth = await startAuth();
  claims = auth.claims();
  session = await auth.sign(claims);
});
afterAll(() => auth.close());
beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", auth.url);
  vi.stubEnv("SUPABASE_SECRET_KEYS", JSON.stringify({ default: secretKey }));
  vi.stubEnv("SUPABASE_PUBLISHABLE_KEYS", JSON.stringify({ default: publishableKey }));
});
afterEach(() => vi.unstubAllEnvs());

function read(headers: Record<string, string> | [string, string][], access = scope) {
  return readCaller(new Request("https://project.example/whoami", { headers }), access);
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("an API key", () => {
  test("is known by its hash alone", async () => {
    expect(await read(bearer(key.plain))).toEqual({ key_hash: key.hash });
  });

  test.each([
    ["a lower-case scheme", `bearer ${key.plain}`],
    ["an upper-case scheme", `BEARER ${key.plain}`],
    ["several blanks", `Bearer   ${key.plain}`],
    ["blanks around all of it", `  Bearer ${key.plain}  `],
    ["tabs around all of it", `\tBearer ${key.plain}\t`],
  ])("is taken with %s", async (_, authorization) => {
    expect(await read({ authorization })).toEqual({ key_hash: key.hash });
  });

  test.each([
    ["without a scheme", key.plain],
    ["as Basic", `Basic ${key.plain}`],
    ["with a tab for the blank", `Bearer\t${key.plain}`],
    ["with nothing after the scheme", "Bearer"],
    ["with a second word", `Bearer ${key.plain} x`],
    ["twice in one header", `Bearer ${key.plain}, Bearer ${key.plain}`],
    ["mistyped", `Bearer ${key.plain.slice(0, -1)}${key.plain.endsWith("0") ? "1" : "0"}`],
    ["cut", `Bearer ${key.plain.slice(0, -1)}`],
    ["in quotes", `Bearer "${key.plain}"`],
  ])("is refused %s", async (_, authorization) => {
    await expect(read({ authorization })).rejects.toMatchObject(refused);
  });

  test("is refused beside another credential in a second Authorization header", async () => {
    const headers: [string, string][] = [["authorization", `Bearer ${key.plain}`]];
    await expect(read([...headers, ["authorization", `Bearer ${session}`]])).rejects.toMatchObject(refused);
  });

  test("from a page is refused by name, so that the page can read why", async () => {
    for (const origin of ["https://app.example", "null"]) {
      await expect(read({ ...bearer(key.plain), origin })).rejects.toMatchObject({ code: "key_in_browser" });
    }
  });

  test("counts in Authorization and nowhere else", async () => {
    const elsewhere = { apikey: key.plain, "x-api-key": key.plain, cookie: `key=${key.plain}` };
    await expect(read(elsewhere)).rejects.toMatchObject({ code: "missing_credential" });
    const url = `https://project.example/whoami?apikey=${key.plain}&access_token=${key.plain}`;
    await expect(readCaller(new Request(url), scope)).rejects.toMatchObject({ code: "missing_credential" });
  });

  test("takes neither organization nor environment from a header", async () => {
    const headers = { "x-organization-id": organization, "x-mailpipe-environment": "live" };
    expect(await read({ ...bearer(key.plain), ...headers })).toEqual({ key_hash: key.hash });
  });
});

describe("a session", () => {
  test("names its user and itself, and picks organization and environment by header", async () => {
    const { sub: user_id, session_id } = claims;
    expect(await read(bearer(session))).toEqual({ user_id, session_id });
    const headers = { "x-organization-id": organization, "x-mailpipe-environment": "test" };
    expect(await read({ ...bearer(session), ...headers, origin: "https://app.example" }))
      .toEqual({ user_id, session_id, organization_id: organization, environment: "test" });
  });

  test.each([
    ["x-organization-id", "org_1"],
    ["x-organization-id", `${organization}x`],
    ["x-organization-id", `${organization},${organization}`],
    ["x-organization-id", ""],
    ["x-mailpipe-environment", "LIVE"],
    ["x-mailpipe-environment", "live, test"],
    ["x-mailpipe-environment", ""],
  ])("with %s: %j is told which header is wrong", async (name, value) => {
    await expect(read({ ...bearer(session), [name]: value })).rejects.toMatchObject({
      code: "invalid_header",
      particulars: expect.stringContaining(name),
    });
  });

  test("that is bad stays bad, whatever else the request carries", async () => {
    const broken = `${session.slice(0, -4)}AAAA`;
    const good = { apikey: secretKey, "x-api-key": key.plain };
    for (const access of [scope, worker, open, { session: true } as const, { caller: true } as const]) {
      await expect(read({ ...bearer(broken), ...good }, access)).rejects.toMatchObject(refused);
    }
  });
});

describe("what is neither", () => {
  test.each([
    ["the publishable key", publishableKey],
    ["the secret key", secretKey],
    ["a worker's secret", workerSecret],
    ["a webhook secret", "whsec_c2VjcmV0"],
    ["a JWT where two dots are one", "e30.e30"],
    ["a JWT of four parts", "e30.e30.e30.e30"],
  ])("is refused where a key or session is wanted: %s", async (_, token) => {
    for (const access of [scope, { session: true } as const, { caller: true } as const]) {
      await expect(read(bearer(token), access)).rejects.toMatchObject(refused);
    }
  });

  test("is refused although it is a JWT: the project's old anon and service keys", async () => {
    for (const role of ["anon", "service_role"]) {
      const { sub: _, session_id: __, ...rest } = auth.claims();
      const token = await auth.sign({ ...rest, role, iss: "supabase", ref: "abcdefghijklmnopqrst" });
      await expect(read(bearer(token))).rejects.toMatchObject(refused);
    }
  });

  test("is missing, when there is none or an empty one", async () => {
    const missing = { code: "missing_credential" };
    for (const headers of [{}, { authorization: "" }, { authorization: "  " }, { apikey: publishableKey }]) {
      await expect(read(headers)).rejects.toMatchObject(missing);
    }
    await expect(read({}, worker)).rejects.toMatchObject(missing);
  });
});

describe("a worker", () => {
  test("is woken with the project's secret key or the workers' own secret, in either header", async () => {
    expect(await read(bearer(secretKey), worker)).toEqual({ project_secret: true });
    expect(await read({ apikey: secretKey }, worker)).toEqual({ project_secret: true });
    expect(await read(bearer(workerSecret), worker)).toEqual({ worker_hash: hashKey(workerSecret) });
  });

  test("is woken with any of several secret keys, the old service key included", async () => {
    const old = await auth.sign({ role: "service_role" });
    vi.stubEnv("SUPABASE_SECRET_KEYS", JSON.stringify({ default: "sb_secret_one", second: secretKey }));
    vi.stubEnv("SUPABASE_SERVICE_ROLE_KEY", old);
    for (const token of ["sb_secret_one", secretKey, old]) {
      expect(await read(bearer(token), worker)).toEqual({ project_secret: true });
    }
  });

  test.each([
    ["an API key", () => key.plain],
    ["a session", () => session],
    ["the publishable key", () => publishableKey],
    ["a part of the secret key", () => secretKey.slice(0, -1)],
    ["a worker's secret in capitals", () => workerSecret.toUpperCase()],
    ["a worker's secret cut", () => workerSecret.slice(0, -1)],
  ])("is not woken with %s", async (_, token) => {
    await expect(read(bearer(token()), worker)).rejects.toMatchObject(refused);
    await expect(read({ apikey: token() }, worker)).rejects.toMatchObject(refused);
  });

  test("is not woken with a bad Authorization beside a good apikey", async () => {
    await expect(read({ ...bearer(key.plain), apikey: secretKey }, worker)).rejects.toMatchObject(refused);
  });
});

describe("where nobody needs to be named", () => {
  test("no credential is nobody, a good one is somebody, a bad one is refused", async () => {
    expect(await read({}, open)).toBeNull();
    expect(await read(bearer(key.plain), open)).toEqual({ key_hash: key.hash });
    expect(await read(bearer(secretKey), open)).toEqual({ project_secret: true });
    expect(await read(bearer(workerSecret), open)).toEqual({ worker_hash: hashKey(workerSecret) });
    await expect(read(bearer("nonsense"), open)).rejects.toMatchObject(refused);
    await expect(read(bearer("mpw_short"), open)).rejects.toMatchObject(refused);
  });

  test("an apikey beside no credential is somebody only when it is the project's secret", async () => {
    expect(await read({ apikey: secretKey }, open)).toEqual({ project_secret: true });
    for (const apikey of [publishableKey, key.plain, workerSecret]) {
      expect(await read({ apikey }, open)).toBeNull();
    }
    await expect(read({ ...bearer("nonsense"), apikey: secretKey }, open)).rejects.toMatchObject(refused);
  });

  test("a provider is known by its token's hash, not by Authorization", async () => {
    expect(await read(bearer("whatever a provider sends"), { connection: true })).toBeNull();
    expect(connectionCaller("token")).toEqual({ inbound_hash: hashKey("token") });
  });
});
