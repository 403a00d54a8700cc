import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hashKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let other: Tenant;
let functions: { schema: string; name: string; args: string[] }[];
let tables: string[];

beforeAll(async () => {
  keepLog();
  api = await startApi();
  [tenant, other] = [await foundTenant(api), await foundTenant(api, "other")];
  functions = await api.database.sql("postgres")`
    select pronamespace::regnamespace::text as schema, proname as name, coalesce(proargnames, '{}') as args
    from pg_proc
    where pronamespace in ('mailpipe'::regnamespace, 'mailpipe_api'::regnamespace)
    order by 1, 2
  `;
  const found = await api.database.sql("postgres")<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'mailpipe'::regnamespace and relkind in ('r', 'v')
  `;
  tables = found.map(({ name }) => name);
});
afterAll(() => api.close());

/** Signed with nobody's secret, or over; a JWT of the right shape all the same. */
function forged(claims: Record<string, unknown>): Promise<string> {
  return new SignJWT({
    role: "service_role",
    sub: tenant.owner.user_id,
    session_id: tenant.owner.session_id,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(new TextEncoder().encode(randomUUID()));
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const now = Math.floor(Date.now() / 1000);
const comers: [string, () => Promise<Record<string, string>> | Record<string, string>][] = [
  ["nobody", () => ({})],
  ["anon", () => ({ apikey: api.publishableKey })],
  ["a signed-in user", () => ({ apikey: api.publishableKey, ...bearer(tenant.owner.access_token) })],
  ["another tenant's user", () => ({ apikey: api.publishableKey, ...bearer(other.owner.access_token) })],
  [
    "an expired token",
    async () => ({ apikey: api.publishableKey, ...bearer(await forged({ exp: now - 1 })) }),
  ],
  [
    "a forged token",
    async () => ({ apikey: api.publishableKey, ...bearer(await forged({ exp: now + 60 })) }),
  ],
  ["an API key", () => ({ apikey: api.publishableKey, ...bearer(tenant.live) })],
];

async function rest(path: string, headers: Record<string, string>, body?: unknown, method?: string) {
  const response = await fetch(`${api.url}/rest/v1/${path}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

const profiles = (schema: string) => ({ "accept-profile": schema, "content-profile": schema });
const secrets =
  () => [hashKey(tenant.live), tenant.organization_id, other.organization_id, tenant.owner.user_id];

/** Refused, with nothing of a tenant in the answer. */
function expectNothing({ status, text }: { status: number; text: string }, what: string): void {
  expect([400, 401, 403, 404, 405, 406], `${what}: ${status} ${text}`).toContain(status);
  expect(secrets().filter((secret) => text.includes(secret)), what).toEqual([]);
}

describe.each(comers)("A9: straight at PostgREST as %s", (_, headersOf) => {
  test("no function answers, in whichever schema it is looked for", async () => {
    const headers = await headersOf();
    const hash = { key_hash: hashKey(tenant.live) };
    for (const { schema, name, args } of functions) {
      const body = Object.fromEntries(args.map((arg) => [arg, arg === "p_caller" ? hash : null]));
      // A41: a hash read from a dump is no credential here.
      expectNothing(
        await rest(`rpc/${name}`, { ...headers, ...profiles(schema) }, body),
        `${schema}.${name}`,
      );
    }
    expect(functions.length).toBeGreaterThan(150);
  });

  test("no table answers, is written, or is embedded in another", async () => {
    const headers = await headersOf();
    for (const table of tables) {
      for (const schema of ["mailpipe", "mailpipe_api", "public"]) {
        const profile = { ...headers, ...profiles(schema) };
        expectNothing(await rest(`${table}?select=*`, profile), `${schema}.${table}`);
        expectNothing(await rest(table, profile, {}), `insert ${schema}.${table}`);
        expectNothing(
          await rest(`${table}?id=neq.x`, profile, undefined, "DELETE"),
          `delete ${schema}.${table}`,
        );
      }
    }
    expect(tables.length).toBeGreaterThan(20);
  });
});

describe("A9: a schema nobody is meant to name", () => {
  const hidden = [
    "mailpipe",
    '"mailpipe"',
    "MAILPIPE",
    "mailpipe ",
    "public, mailpipe",
    "mailpipe_api,mailpipe",
    "mailpipe;set role postgres",
    "vault",
    "auth",
    "storage",
    "extensions",
    "pg_catalog",
    "information_schema",
    "pg_temp",
    "*",
  ];
  const tricks = hidden.flatMap((schema) => [
    ["accept-profile", schema],
    ["content-profile", schema],
  ]);

  test.each(tricks)("%s: %s opens nothing, not even to the secret key", async (header, schema) => {
    const headers = { apikey: api.secretKey, [header]: schema };
    for (
      const table of ["api_keys", "messages", "secrets", "decrypted_secrets", "users", "pg_authid", "tables"]
    ) {
      expectNothing(await rest(`${table}?select=*`, headers), `${header} ${schema} ${table}`);
      expectNothing(await rest(table, headers, {}), `${header} ${schema} insert ${table}`);
    }
    for (const name of ["authenticate", "unseal", "master_key", "create_secret", "pg_read_file"]) {
      expectNothing(await rest(`rpc/${name}`, headers, {}), `${header} ${schema} ${name}`);
    }
  });

  test("a name with its schema in the path opens nothing", async () => {
    const headers = { apikey: api.secretKey, ...profiles("mailpipe_api") };
    for (
      const path of [
        "mailpipe.api_keys",
        "mailpipe%2Eapi_keys",
        "rpc/mailpipe.authenticate",
        "rpc/..%2Fapi_keys",
        "api_keys?select=*,mailpipe.api_keys(*)",
        "rpc/whoami?select=*,api_keys(*)&p_caller={}",
      ]
    ) {
      expectNothing(await rest(path, headers), path);
    }
  });

  test("the one door there is opens to the secret key alone", async () => {
    const call = (headers: Record<string, string>) =>
      rest("rpc/whoami", { ...headers, ...profiles("mailpipe_api") }, {
        p_caller: { key_hash: hashKey(tenant.live) },
      });
    const answer = await call({ apikey: api.secretKey });
    expect([answer.status, JSON.parse(answer.text).organization_id]).toEqual([200, tenant.organization_id]);
    expectNothing(
      await call({ apikey: api.publishableKey, ...bearer(api.secretKey) }),
      "secret key as bearer",
    );
    expectNothing(
      await call({ apikey: `${api.secretKey} `, ...bearer(tenant.owner.access_token) }),
      "with a session",
    );
  });
});
