import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import health from "../../functions/health/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  const body = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
  expect((await ask(sendMail, "send-mail", { token: tenant.test, body })).status).toBe(202);
});
afterAll(() => api.close());

describe("health", () => {
  test("tells anybody that it works and which schema it has, and nothing more", async () => {
    const { status, body } = await ask(health, "health");
    expect(status).toBe(200);
    expect(body).toEqual({
      status: "ok",
      schema_version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
  });

  test("learns where the functions are, for pg_cron to wake them", async () => {
    await ask(health, "health");
    const settings = await api.database.sql("postgres")`select functions_url from mailpipe.settings`;
    expect([...settings]).toEqual([{ functions_url: `${api.url}/functions/v1` }]);
  });

  test("shows the caller's own queue and providers to usage:read and to the owner's session", async () => {
    const { key } = await issue(tenant.owner.access_token, { environment: "test", scopes: ["usage:read"] });
    const mine = await ask(health, "health", { token: key });
    expect(mine.body).toMatchObject({ providers: [], queue: { deliver_message: { due: 1, waiting: 1 } } });
    const live = await ask(health, "health", { token: tenant.owner.access_token });
    expect(live.body).toMatchObject({ providers: [], queue: {} });
    const other = await foundTenant(api, "other");
    expect((await ask(health, "health", { token: other.test })).body.queue).toEqual({});
  });

  test("shows the whole queue to the workers' secret and the project's, and no provider", async () => {
    const [vaulted] = await api.database.sql("postgres")<{ secret: string }[]>`
      select decrypted_secret as secret from vault.decrypted_secrets where name = 'mailpipe_worker_secret'
    `;
    for (const token of [vaulted?.secret ?? "", api.secretKey]) {
      const { status, body } = await ask(health, "health", { token });
      expect(status).toBe(200);
      expect(body).toMatchObject({ queue: { deliver_message: { due: 1 } } });
      expect(body.providers).toBeUndefined();
    }
  });

  test("is 403 for a key without usage:read, and 401 for a credential that is none", async () => {
    const { key } = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
    expect(refusal(await ask(health, "health", { token: key }))).toEqual([403, "scope_missing"]);
    const bad = [`mp_live_${"a".repeat(38)}`, `mpw_${"0".repeat(64)}`, "mpw_1", api.publishableKey, "a.b.c"];
    for (const token of bad) {
      expect(refusal(await ask(health, "health", { token }))).toEqual([401, "invalid_credential"]);
    }
  });

  test("is 503 when the database cannot be reached, and names nothing inside", async () => {
    vi.stubEnv("SUPABASE_URL", "http://127.0.0.1:9");
    const answer = await ask(health, "health");
    vi.unstubAllEnvs();
    expect(refusal(answer)).toEqual([503, "database_unavailable"]);
    expect(answer.text).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|postgres/i);
  });
});
