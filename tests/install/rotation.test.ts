import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FunctionsHost, startFunctions } from "../../supabase/local/functions.ts";
import { type Gateway, openGateway } from "../../supabase/local/gateway.ts";
import { type Api, startApi } from "../support/api.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";
import { readSteps, type Steps } from "./readme-block.ts";

const settings = "PORT=8080\nMAILPIPE_URL=http://127.0.0.1\n";

let scratch: string;
let envFile: string;
let api: Api;
let gateway: Gateway;
let host: FunctionsHost;
let tenant: Tenant;
let old: Issued;
let steps: Steps;

beforeAll(async () => {
  keepLog();
  scratch = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-rotation-")));
  envFile = join(scratch, "service.env");
  api = await startApi();
  gateway = await openGateway(0);
  host = await serveFunctions();
  gateway.open({ functionsPort: () => host.port(), handlers: {} });
  tenant = await foundTenant(api);
  old = await issue(tenant.owner.access_token, { scopes: ["mail:send", "keys:read"] });
  writeFileSync(envFile, `${settings}MAILPIPE_API_KEY=${old.key}\n`, { mode: 0o640 });
  steps = await readSteps("rotation", scratch, {
    PROJECT_URL: `http://127.0.0.1:${gateway.port}`,
    OWNER_SESSION: tenant.owner.access_token,
    OLD_KEY_ID: old.id,
    ENV_FILE: envFile,
  });
}, 60_000);

afterAll(async () => {
  await host?.stop();
  await gateway?.close();
  await api?.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** The functions as they are deployed: under Deno, in a process of their own. */
async function serveFunctions(): Promise<FunctionsHost> {
  return await startFunctions({
    root: resolve(import.meta.dirname, "../.."),
    logFile: join(scratch, "functions.log"),
    cacheFolder: join(scratch, "deno"),
    environment: {
      SUPABASE_URL: api.url,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: api.secretKey }),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: api.publishableKey }),
    },
  });
}

/** Status and code, asked over the socket as the service that holds the key would. */
async function ask(key: string): Promise<[number, string | undefined]> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port}/functions/v1/whoami`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return [answer.status, (await answer.json() as { code?: string }).code];
}

const stored = () => /^MAILPIPE_API_KEY=(mp_live_\w{38})$/m.exec(readFileSync(envFile, "utf8"))?.[1] ?? "";
const works = [200, undefined];

describe("the README's five steps of a rotation, in order", () => {
  test("there are five", () => expect(steps.count).toBe(5));

  test("1. the new key is made, and kept where only its owner reads it; the old one works on", async () => {
    await steps.run(1);
    expect(statSync(join(scratch, "rotated.json")).mode & 0o077).toBe(0);
    expect(await ask(old.key)).toEqual(works);
  });

  test("2. it takes the old key's place in the service's file, and stands nowhere else", async () => {
    const { key } = JSON.parse(readFileSync(join(scratch, "rotated.json"), "utf8")) as { key: string };
    await steps.run(2);
    expect(stored()).toBe(key);
    expect(readFileSync(envFile, "utf8").split("\n").sort().join("\n"))
      .toBe(`${settings}MAILPIPE_API_KEY=${key}\n`.split("\n").sort().join("\n"));
    expect(statSync(envFile).mode & 0o777).toBe(0o640);
    for (const file of ["rotated.json", "new.env"]) {
      expect(() => statSync(join(scratch, file))).toThrow("ENOENT");
    }
  });

  test("2. without an answer to take it from, the service's file stays as it is", async () => {
    const before = readFileSync(envFile, "utf8");
    writeFileSync(join(scratch, "rotated.json"), "");
    await expect(steps.run(2)).rejects.toThrow();
    expect(readFileSync(envFile, "utf8")).toBe(before);
  });

  test("3. the service works with the new key, which has the rights of the old one, and both live", async () => {
    expect(JSON.parse(await steps.run(3))).toMatchObject({
      kind: "key",
      environment: "live",
      scopes: ["mail:send", "keys:read"],
    });
    expect([await ask(old.key), await ask(stored())]).toEqual([works, works]);
  });

  test("4. the use of the old key is told, and stands still once nothing uses it", async () => {
    const told = await steps.run(4);
    expect(told).toMatch(/^"use_count":2$/m);
    expect(told).toMatch(/^"last_used_at":"20/m);
    expect(told).toMatch(/^"last_used_range":"127\.0\.0\.0\/24"$/m);
    await ask(stored());
    expect(await steps.run(4)).toBe(told);
    await ask(old.key);
    expect(await steps.run(4)).toMatch(/^"use_count":3$/m);
  });

  test("5. the old key is refused from now on, and the new one works", async () => {
    expect(JSON.parse(await steps.run(5))).toMatchObject({ id: old.id });
    expect([await ask(old.key), await ask(stored())]).toEqual([[401, "invalid_credential"], works]);
  });
});

test("a service that has no file yet gets one that only its owner reads", async () => {
  const { id } = await issue(tenant.owner.access_token);
  const ENV_FILE = join(scratch, "fresh.env");
  const { run } = await readSteps("rotation", scratch, {
    PROJECT_URL: `http://127.0.0.1:${gateway.port}`,
    OWNER_SESSION: tenant.owner.access_token,
    OLD_KEY_ID: id,
    ENV_FILE,
  });
  await run(1);
  await run(2);
  expect(readFileSync(ENV_FILE, "utf8")).toMatch(/^MAILPIPE_API_KEY=mp_live_\w{38}\n$/);
  expect(statSync(ENV_FILE).mode & 0o077).toBe(0);
});
