import { PostgrestClient } from "@supabase/postgrest-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, startApi } from "./api.ts";

let api: Api;
let privilegesBefore: unknown;

const FUNCTIONS = `
  create schema mailpipe_api;
  create schema mailpipe;
  grant usage on schema mailpipe_api to service_role;
  create table mailpipe.things (id int);
  alter table mailpipe.things enable row level security;
  create function mailpipe_api.echo(p_value jsonb, p_text text default null, p_list text[] default null)
  returns jsonb language sql
  as $$ select jsonb_build_object('value', p_value, 'type', jsonb_typeof(p_value), 'text', p_text, 'list', p_list) $$;
  create function mailpipe_api.nothing() returns void language sql as $$ select $$;
  create function mailpipe_api.null_json() returns jsonb language sql as $$ select null::jsonb $$;
  create function mailpipe_api.whoami() returns jsonb language sql
  as $$ select jsonb_build_object('role', current_user, 'uid', auth.uid()) $$;
  create function mailpipe_api.refuse(p_state text) returns jsonb language plpgsql as $$
  begin
      raise exception using errcode = p_state, message = 'key_unknown', detail = 'the particular', hint = 'do this';
  end; $$;
  revoke execute on all functions in schema mailpipe_api from public;
  grant execute on all functions in schema mailpipe_api to service_role;
`;

function client(key: string) {
  return new PostgrestClient(`${api.url}/rest/v1`, {
    headers: { apikey: key, authorization: `Bearer ${key}` },
    schema: "mailpipe_api",
  });
}

function privileges(): Promise<unknown> {
  return api.database.sql("postgres")`
    select jsonb_build_object(
        'schemas', (select jsonb_object_agg(nspname, nspacl::text) from pg_namespace where nspname !~ '^pg_temp|^pg_toast_temp'),
        'relations', (select jsonb_object_agg(oid::regclass::text, relacl::text) from pg_class where relacl is not null),
        'functions', (select jsonb_object_agg(oid::regprocedure::text, proacl::text) from pg_proc where proacl is not null),
        'defaults', (select jsonb_agg(to_jsonb(d) order by d.oid) from pg_default_acl d)
    ) as found
  `;
}

beforeAll(async () => {
  api = await startApi("hosted");
  await api.database.sql("postgres").unsafe(FUNCTIONS);
  privilegesBefore = await privileges();
});
afterAll(() => api.close());

describe("the PostgREST stand-in", () => {
  test("leaves every privilege as it was once requests were served", async () => {
    await client(api.secretKey).rpc("echo", { p_value: {} });
    await client(api.publishableKey).rpc("echo", { p_value: {} });
    expect(await privileges()).toEqual(privilegesBefore);
  });

  test.each([
    ["an object", { a: 1, b: [null, true, { c: "d" }], "": "empty key" }],
    ["text of every plane", { text: "Grüße 漢字 👩‍👩‍👧 \u2028 \\ \" ' $1 \t" }],
    ["numbers", [0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER]],
    ["an array", [1, "two", null]],
    ["nested nulls", { a: null, b: [null] }],
  ])("carries %s through jsonb unchanged", async (_, value) => {
    const { data, error } = await client(api.secretKey).rpc("echo", { p_value: value });
    expect(error).toBeNull();
    expect(data.value).toEqual(value);
  });

  test("carries text and text arrays beside it", async () => {
    const { data } = await client(api.secretKey).rpc("echo", {
      p_value: {},
      p_text: '{"a":1}',
      p_list: ["x", "y z,"],
    });
    expect(data).toMatchObject({ text: '{"a":1}', list: ["x", "y z,"] });
  });

  test("answers a JSON null and a void function as PostgREST does", async () => {
    expect(await client(api.secretKey).rpc("null_json")).toMatchObject({
      data: null,
      error: null,
      status: 200,
    });
    expect(await client(api.secretKey).rpc("nothing")).toMatchObject({
      data: null,
      error: null,
      status: 204,
    });
  });

  test.each(["PT401", "PT403", "PT404", "PT409", "PT422", "PT429", "PT503"])(
    "turns SQLSTATE %s into its HTTP status, with message, details and hint",
    async (p_state) => {
      const { error, status } = await client(api.secretKey).rpc("refuse", { p_state });
      expect(status).toBe(Number(p_state.slice(2)));
      expect(error).toMatchObject({
        code: p_state,
        message: "key_unknown",
        details: "the particular",
        hint: "do this",
      });
    },
  );

  test.each([["P0001", 400], ["23514", 400], ["40001", 500], ["57014", 500], ["53300", 503], ["22023", 400]])(
    "answers SQLSTATE %s with %i and the database's own code",
    async (p_state, expected) => {
      const { error, status } = await client(api.secretKey).rpc("refuse", { p_state });
      expect([error?.code, status]).toEqual([p_state, expected]);
    },
  );

  test("gives the secret key service_role and the publishable key anon, which is refused with 401", async () => {
    expect((await client(api.secretKey).rpc("whoami")).data).toEqual({ role: "service_role", uid: null });
    const { error, status } = await client(api.publishableKey).rpc("whoami");
    expect([error?.code, status]).toEqual(["42501", 401]);
  });

  test("knows the secret key in apikey alone, and no other key", async () => {
    const call = (headers: Record<string, string>) =>
      fetch(`${api.url}/rest/v1/rpc/whoami`, {
        method: "POST",
        headers: { "content-profile": "mailpipe_api", "content-type": "application/json", ...headers },
        body: "{}",
      });
    expect((await call({ apikey: api.secretKey })).status).toBe(200);
    expect((await call({ apikey: `${api.secretKey}x` })).status).toBe(401);
    expect((await call({})).status).toBe(401);
  });

  test("serves no schema but public and mailpipe_api", async () => {
    const hidden = new PostgrestClient(`${api.url}/rest/v1`, {
      headers: { apikey: api.secretKey },
      schema: "mailpipe",
    });
    expect((await hidden.from("things").select()).error?.code).toBe("PGRST106");
  });

  test("prints nothing for a call that was refused", async () => {
    const printed: unknown[] = [];
    const print = console.error;
    console.error = (...values) => printed.push(...values);
    await client(api.secretKey).rpc("refuse", { p_state: "PT409" });
    console.error = print;
    expect(printed).toEqual([]);
  });
});
