import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { z } from "zod";
import { json, ok } from "../../shared/answers.ts";
import { ApiError, Fault } from "../../shared/errors.ts";
import { mintKey } from "../../shared/keys.ts";
import { route } from "../../shared/route.ts";
import { serve } from "../../shared/serve.ts";
import { startAuth } from "../support/auth-stand-in.ts";
import { overheard } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";

const key = mintKey("live").plain;
const answer = z.unknown();
const run = vi.fn((context: { caller: unknown; body?: unknown; query?: unknown; params: unknown }) => {
  const { caller, body, query, params } = context;
  return Promise.resolve(ok({ caller, body, query, params }));
});

const probe = serve("probe", {
  GET: route({
    summary: "Lists",
    access: { scope: "mail:read" },
    query: z.strictObject({ limit: z.coerce.number().max(100).optional() }),
    answer,
    status: 200,
    run,
  }),
  POST: route({
    summary: "Takes",
    access: { scope: "mail:send" },
    body: z.strictObject({ name: z.string(), environment: z.string().optional() }),
    cap: 100,
    answer,
    status: 200,
    run,
  }),
  "POST /:kind/:token": route({
    summary: "Receives",
    access: { connection: true },
    raw: true,
    cap: 10,
    answer,
    status: 200,
    run: ({ body }) => Promise.resolve(json(200, [...body])),
  }),
});

let logged: MockInstance<typeof console.log>;

beforeEach(() => {
  run.mockClear();
  vi.stubEnv("SUPABASE_URL", "https://abc.supabase.co");
  vi.stubEnv("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_test"}');
  keepLog();
  logged = vi.mocked(console.log);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const good = {
  "x-forwarded-proto": "https",
  authorization: `Bearer ${key}`,
  "content-type": "application/json",
};

interface Sent {
  method?: string;
  url?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
}

function send({ method = "POST", url = "http://edge.internal/probe", headers = {}, body }: Sent) {
  const init = { method, headers: { ...good, ...headers }, ...(body === undefined ? {} : { body }) };
  return overheard(probe, new Request(url, { ...init, duplex: "half" } as RequestInit));
}

async function code(sent: Sent): Promise<string> {
  return String((await (await send(sent)).json() as { code?: unknown }).code);
}

function logLine(): Record<string, unknown> {
  expect(logged).toHaveBeenCalledTimes(1);
  const text = String(logged.mock.calls[0]?.[0]);
  expect(text).not.toMatch(/[\r\n]/);
  return JSON.parse(text) as Record<string, unknown>;
}

describe("a request that is good in everything", () => {
  test("reaches run with its caller, body, query and parameters", async () => {
    const posted = await send({ body: '{"name":"a"}' });
    expect(posted.status).toBe(200);
    expect(await posted.json()).toMatchObject({
      caller: { key_hash: expect.any(String) },
      body: { name: "a" },
    });
    const listed = await send({ method: "GET", url: "http://edge.internal/probe?limit=5" });
    expect(await listed.json()).toMatchObject({ query: { limit: 5 }, params: {} });
  });

  test("may bring bytes where a route takes them as they are", async () => {
    const url = "http://edge.internal/probe/mime/t0ken";
    expect(await (await send({ url, body: Uint8Array.of(255, 0, 13) })).json()).toEqual([255, 0, 13]);
    expect(await code({ url, body: new Uint8Array(11) })).toBe("payload_too_large");
  });
});

describe("the environment a body names", () => {
  const caller = async (headers: Record<string, string>): Promise<unknown> => {
    const response = await send({ headers, body: '{"name":"a","environment":"test"}' });
    return (await response.json() as { caller: unknown }).caller;
  };

  test("is a session's, unless its header picked one", async () => {
    const auth = await startAuth();
    vi.stubEnv("SUPABASE_URL", auth.url);
    vi.stubEnv("SUPABASE_ANON_KEY", "sb_publishable_test");
    const authorization = `Bearer ${await auth.sign(auth.claims())}`;
    expect(await caller({ authorization })).toMatchObject({ environment: "test" });
    expect(await caller({ authorization, "x-mailpipe-environment": "live" })).toMatchObject({
      environment: "live",
    });
    await auth.close();
  });

  test("is never a key's: it has its own", async () => {
    expect(await caller({})).toEqual({ key_hash: expect.any(String) });
  });
});

// Each request has every fault from its own step on: the first step that finds one answers (DESIGN §5).
describe("the steps in their order", () => {
  const tooLarge = { "content-length": "101" };
  const noCredential = { authorization: "" };

  test.each<[string, Sent]>([
    ["https_required", {
      method: "DELETE",
      url: "http://edge.internal/probe/a/b/c",
      headers: { "x-forwarded-proto": "http", ...noCredential },
    }],
    ["not_found", { method: "DELETE", url: "http://edge.internal/probe/a/b/c", headers: noCredential }],
    ["method_not_allowed", { method: "DELETE", headers: noCredential, body: "{" }],
    ["missing_credential", { headers: { ...noCredential, ...tooLarge }, body: "{" }],
    ["invalid_credential", { headers: { authorization: "Bearer mp_live_x", ...tooLarge }, body: "{" }],
    ["key_in_browser", { headers: { origin: "https://app.example", ...tooLarge }, body: "{" }],
    ["payload_too_large", { headers: tooLarge, body: "{" }],
    ["payload_too_large", { body: `{${" ".repeat(100)}` }],
    ["invalid_json", { body: "{" }],
    ["invalid_json", { body: Uint8Array.of(0x7b, 0xff, 0x7d) }],
    ["invalid_request", { body: '{"name":1}' }],
    ["invalid_request", { body: '{"name":"a","org_id":"org_1"}' }],
    ["invalid_request", { method: "GET", url: "http://edge.internal/probe?limit=101" }],
    ["invalid_request", { method: "GET", url: "http://edge.internal/probe?apikey=x" }],
  ])("%s", async (expected, sent) => {
    expect(await code(sent)).toBe(expected);
    expect(run).not.toHaveBeenCalled();
  });

  test("a preflight needs no credential, but https", async () => {
    const asked = { method: "OPTIONS", headers: { ...noCredential, origin: "https://app.example" } };
    const response = await send(asked);
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-methods")).toBe("GET, POST");
    const plain = { ...asked, headers: { ...asked.headers, "x-forwarded-proto": "http" } };
    expect(await code(plain)).toBe("https_required");
  });
});

describe("plain HTTP", () => {
  const knock = (url: string, headers: Record<string, string> = {}) =>
    overheard(probe, new Request(url, { headers }));

  test.each([
    ["http://edge.internal/probe", { "x-forwarded-proto": "http" }],
    ["https://edge.internal/probe", { "x-forwarded-proto": "http" }],
    ["http://127.0.0.1/probe", { "x-forwarded-proto": "http" }],
    ["http://edge.internal/probe", { "x-forwarded-proto": "HTTP, https" }],
    ["http://edge.internal/probe", { "x-forwarded-proto": "" }],
    ["http://edge.internal/probe", {}],
    ["http://127.0.0.1.evil.example/probe", {}],
    ["http://localhost.evil.example/probe", {}],
  ] as [string, Record<string, string>][])("is refused: %s %j", async (url, headers) => {
    const response = await knock(url, headers);
    expect([response.status, (await response.json() as { code: string }).code]).toEqual([
      403,
      "https_required",
    ]);
  });

  test.each([
    ["http://edge.internal/probe", { "x-forwarded-proto": "https" }],
    ["http://edge.internal/probe", { "x-forwarded-proto": "https,http" }],
    ["https://edge.internal/probe", {}],
    ["http://127.0.0.1:9/probe", {}],
    ["http://localhost:9/probe", {}],
    ["http://[::1]:9/probe", {}],
  ] as [string, Record<string, string>][])("is not meant: %s %j", async (url, headers) => {
    expect((await knock(url, headers)).status).toBe(401);
  });
});

describe("every answer", () => {
  test("repeats a request id that is safe to write", async () => {
    for (const id of ["req_1", "A-b_9", "x".repeat(64)]) {
      const response = await send({ headers: { "x-request-id": id }, body: "{" });
      expect(response.headers.get("x-request-id")).toBe(id);
      expect(await response.json()).toMatchObject({ request_id: id });
    }
  });

  test.each(["", "x".repeat(65), "a b", 'a"b', "<script>", "a,b", "../x", "é"])(
    "has an id of its own where %j came",
    async (id) => {
      const response = await send({ headers: { "x-request-id": id }, body: "{" });
      expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
      expect(logLine()["request_id"]).toBe(response.headers.get("x-request-id"));
    },
  );

  test("is never cached and readable by pages, also when it is a refusal", async () => {
    for (const body of ['{"name":"a"}', "{"]) {
      const { headers } = await send({ body });
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.get("content-type")).toMatch(/^application\/json/);
    }
  });

  test("that refuses has the code's status", async () => {
    expect((await send({ body: '{"name":1}' })).status).toBe(422);
    run.mockRejectedValueOnce(new ApiError("database_unavailable"));
    expect((await send({ body: '{"name":"a"}' })).status).toBe(503);
  });
});

describe("a fault of ours", () => {
  const secret = `password=hunter2 ${key}`;

  test.each([
    ["an Error", new Error(secret)],
    ["a TypeError of several lines", new TypeError(`a\n    at ${secret}`)],
    ["no Error at all", { message: secret }],
    ["a text", secret],
  ])("is 500 and says nothing of %s, neither to the caller nor to the log", async (_, thrown) => {
    run.mockRejectedValueOnce(thrown);
    const response = await send({ body: '{"name":"a"}' });
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ error: "Something failed on our side.", code: "internal" });
    for (const told of [text, String(logged.mock.calls)]) expect(told).not.toMatch(/hunter2|mp_live_/);
  });

  test("is found through the log: by its place, and by its words where they are our own", async () => {
    run.mockRejectedValueOnce(new TypeError(secret));
    await send({ body: '{"name":"a"}' });
    expect(logLine()).toMatchObject({
      code: "internal",
      fault: expect.stringMatching(/^TypeError at .*serve\.test/),
    });
    logged.mockClear();
    run.mockRejectedValueOnce(new Fault("database: 22P02"));
    await send({ body: '{"name":"a"}' });
    expect(logLine()).toMatchObject({ fault: "Error: database: 22P02" });
  });
});

describe("the log", () => {
  test("has one line for each request: what was asked, what came of it, how long it took", async () => {
    await send({ method: "GET", headers: { "x-request-id": "req_1" } });
    expect(logLine()).toEqual({
      function: "probe",
      method: "GET",
      request_id: "req_1",
      route: "GET",
      status: 200,
      duration_ms: expect.any(Number),
    });
    logged.mockClear();
    await send({ body: "{" });
    expect(logLine()).toMatchObject({ status: 400, code: "invalid_json" });
  });

  test("has no token of a path, no key, no query and no body", async () => {
    const url = "http://edge.internal/probe/mime/t0ken-secret";
    await send({ url, body: "x" });
    expect(logLine()["route"]).toBe("POST /:kind/:token");
    await send({ url: `${url}/t0ken-secret`, body: "x" });
    await send({ url: "http://edge.internal/probe?apikey=t0ken-secret", method: "GET" });
    await send({ body: '{"name":"t0ken-secret"}' });
    await send({ body: '{"t0ken-secret":1}' });
    await send({ headers: { authorization: `Bearer ${key}x`, cookie: "t0ken-secret" }, body: "{}" });
    expect(String(logged.mock.calls)).not.toMatch(/t0ken-secret|mp_live_/);
  });
});

test("a function lists what it answers to, for the README, OpenAPI and the tests that knock on every door", () => {
  expect(probe.routes.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET probe",
    "POST probe",
    "POST probe/{kind}/{token}",
  ]);
  expect(probe.routes[1]).toMatchObject({ access: { scope: "mail:send" }, cap: 100, status: 200 });
});
