import { expect, onTestFinished, test } from "vitest";
import { plant } from "../check/tree.ts";
import { type ManagementApi, startManagementApi } from "./management-api.ts";
import { supabase } from "./supabase-cli.ts";

async function project(): Promise<ManagementApi> {
  const api = await startManagementApi();
  onTestFinished(() => api.close());
  return api;
}

function ask(api: ManagementApi, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${api.token}`, "content-type": "application/json" };
  return fetch(`${api.url}/v1/projects/${api.ref}${path}`, { headers, ...init });
}

test("the CLI sets secrets in it", async () => {
  const api = await project();
  const home = plant({ "supabase/config.toml": 'project_id = "mailpipe"\n' });
  const run = await supabase(api, home, home, ["secrets", "set", "MAILPIPE_EGRESS_ALLOW=10.0.0.0/8"]);
  expect([run.code, api.unknown]).toEqual([0, []]);
  expect([...api.secrets]).toEqual([["MAILPIPE_EGRESS_ALLOW", "10.0.0.0/8"]]);
});

test("exposed schemas are read, changed and read again, and nothing else changes with them", async () => {
  const api = await project();
  const before = await (await ask(api, "/postgrest")).json() as ManagementApi["postgrest"];
  const db_schema = `${before.db_schema},mailpipe_api`;
  await ask(api, "/postgrest", { method: "PATCH", body: JSON.stringify({ db_schema }) });
  expect(await (await ask(api, "/postgrest")).json()).toEqual({ ...before, db_schema });
});

test("keys are shown only when asked to reveal them", async () => {
  const api = await project();
  const keys = async (query: string) =>
    await (await ask(api, `/api-keys${query}`)).json() as ManagementApi["apiKeys"];
  expect((await keys("")).map((key) => key.api_key)).toEqual(["…", "…"]);
  expect((await keys("?reveal=true")).map((key) => key.api_key)).toEqual(
    api.apiKeys.map((key) => key.api_key),
  );
});

test("a request without the token, or to what it does not know, is refused and the latter noted", async () => {
  const api = await project();
  expect((await ask(api, "", { headers: {} })).status).toBe(401);
  expect((await ask(api, "/billing/addons")).status).toBe(404);
  expect(api.unknown).toEqual(["GET /billing/addons"]);
});
