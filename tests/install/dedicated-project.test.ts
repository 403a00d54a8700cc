import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FunctionsHost, startFunctions } from "../../supabase/local/functions.ts";
import { type Gateway, openGateway } from "../../supabase/local/gateway.ts";
import { unpack } from "../deploy/deployment.ts";
import { type ManagementApi, startManagementApi } from "../deploy/management-api.ts";
import { type Api, signUp, startApi } from "../support/api.ts";
import { readSteps } from "./readme-block.ts";

const repository = resolve(import.meta.dirname, "../..");

/** What a clone brings along that the CLI reads; it notes things of its own below supabase/, so it gets a copy. */
const cloned = ["functions", "shared", "deno.json", "supabase/config.toml", "supabase/migrations"];

let scratch: string;
let api: Api;
let management: ManagementApi;
let gateway: Gateway;
let host: FunctionsHost | undefined;
let environment: Record<string, string>;

/** The CLI by its plain name, pointed at the stand-in for the management API. */
function installCli(): string {
  const profile = join(scratch, "profile.yaml");
  const lines = [
    "name: stand-in",
    `api_url: ${management.url}`,
    `dashboard_url: ${management.url}/dashboard`,
    "project_host: localhost",
  ];
  writeFileSync(profile, `${lines.join("\n")}\n`);
  const bin = join(scratch, "bin");
  mkdirSync(bin);
  const real = join(repository, "node_modules/.bin/supabase");
  writeFileSync(join(bin, "supabase"), `#!/bin/sh\nexec "${real}" "$@" --profile "${profile}"\n`, {
    mode: 0o755,
  });
  return bin;
}

beforeAll(async () => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-install-")));
  for (const path of cloned) {
    cpSync(join(repository, path), join(scratch, "project", path), { recursive: true });
  }
  api = await startApi("hosted");
  management = await startManagementApi();
  gateway = await openGateway(0);
  gateway.open({ functionsPort: () => host?.port(), handlers: {} });
  environment = {
    PATH: `${installCli()}:${process.env["PATH"]}`,
    HOME: scratch,
    SUPABASE_ACCESS_TOKEN: management.token,
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    DATABASE_URL: api.database.url,
    PROJECT_REF: management.ref,
    MANAGEMENT_API: management.url,
    PROJECT_URL: `http://127.0.0.1:${gateway.port}`,
    OWNER_EMAIL: "owner@example.com",
  };
}, 60_000);

/** Each step sees what the steps before it added to the environment. */
async function run(number: number): Promise<string> {
  return await (await readSteps("install", join(scratch, "project"), environment)).run(number);
}

afterAll(async () => {
  await host?.stop();
  await gateway?.close();
  await management?.close();
  await api?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Serves what step 2 uploaded, and nothing else of this folder. */
async function serveUploads(): Promise<FunctionsHost> {
  const deployment = { uploads: [...management.uploads.values()], scratch };
  return await startFunctions({
    root: unpack(deployment, join(repository, "node_modules")),
    logFile: join(scratch, "functions.log"),
    cacheFolder: join(scratch, "deno"),
    environment: {
      SUPABASE_URL: api.url,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: api.secretKey }),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: api.publishableKey }),
    },
  });
}

describe("the README's steps for a dedicated project, in order", () => {
  test("1. the migrations are pushed", async () => {
    await run(1);
    const [schema] = await api.database.sql(
      "postgres",
    )`select to_regnamespace('mailpipe_api') is not null as there`;
    expect(schema?.["there"]).toBe(true);
  });

  test("2. the functions are deployed and come up", async () => {
    await run(2);
    expect([...management.uploads.values()].every(({ live }) => live)).toBe(true);
    host = await serveUploads();
  });

  test("3. mailpipe_api is exposed beside what was exposed before", async () => {
    const before = management.postgrest.db_schema;
    await run(3);
    expect(management.postgrest.db_schema).toBe(`${before}, mailpipe_api`);
  });

  test("4. the first owner is made by one SQL call", async () => {
    const owner = await signUp(api, environment["OWNER_EMAIL"] ?? "");
    environment["OWNER_SESSION"] = owner.access_token;
    await run(4);
    const members = await api.database.sql("postgres")`select user_id, role from mailpipe.members`;
    expect(members).toEqual([{ user_id: owner.user_id, role: "owner" }]);
  });

  test("5. health answers, and the database knows where the functions are", async () => {
    expect(JSON.parse(await run(5))).toEqual({ status: "ok", schema_version: "0.1.0" });
    const [settings] = await api.database.sql("postgres")`select functions_url from mailpipe.settings`;
    expect(settings?.["functions_url"]).toBe(`${api.url}/functions/v1`);
  });

  test("6. the owner's session issues the first key, and the key works", async () => {
    const { key } = JSON.parse(await run(6)) as { key: string };
    expect(key).toMatch(/^mp_live_/);
    const answer = await fetch(`${environment["PROJECT_URL"]}/functions/v1/whoami`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(await answer.json()).toMatchObject({ kind: "key", scopes: ["mail:send", "mail:read"] });
  });
});
