import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
// Public by its range (RFC 5737 addresses are not); nothing is ever sent there.
const url = "https://8.8.8.8/hook";

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());
afterEach(() => vi.unstubAllEnvs());

const create = (body: unknown, token = tenant.live) => ask(webhooks, "webhooks", { token, body });
const list = (token = tenant.live, query = "") => ask(webhooks, `webhooks${query}`, { token });
const remove = (id: unknown, token = tenant.live) =>
  ask(webhooks, `webhooks/${String(id)}`, { token, method: "DELETE" });

describe("webhooks", () => {
  test("are made with a secret that is shown once and kept sealed", async () => {
    const made = await create({ url, events: ["email.sent", "email.sent", "*"], description: "Prod" });
    const { secret, ...shown } = made.body;
    expect(made.status).toBe(201);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(shown).toMatchObject({ url, events: ["email.sent", "*"], description: "Prod", enabled: true });
    const listed = await list();
    expect(rows(listed)).toEqual([shown]);
    expect(listed.text).not.toContain("whsec_");
    const [row] = await api.database.sql("postgres")`
      select encode(secret, 'escape') as sealed from mailpipe.webhook_endpoints
    `;
    expect(String(row?.sealed)).not.toContain(String(secret));
    expect(String(row?.sealed)).not.toContain("whsec_");
  });

  test("are removed with what still waits for them", async () => {
    const { body } = await create({ url, events: ["email.queued"] }, tenant.test);
    const message = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
    expect((await ask(sendMail, "send-mail", { token: tenant.test, body: message })).status).toBe(202);
    const waiting = () =>
      api.database.sql("postgres")`
        select count(*)::int as jobs, (select count(*)::int from mailpipe.deliveries) as deliveries
        from mailpipe.jobs where kind = 'dispatch_delivery'
      `;
    expect([...await waiting()]).toEqual([{ jobs: 1, deliveries: 1 }]);
    expect((await remove(body.id, tenant.test)).body).toEqual({ id: body.id, removed: true });
    expect([...await waiting()]).toEqual([{ jobs: 0, deliveries: 0 }]);
    expect(refusal(await remove(body.id, tenant.test))).toEqual([404, "not_found"]);
  });

  test("of the other environment or of somebody else are 404 and stay", async () => {
    const other = await foundTenant(api, "other");
    const { body } = await create({ url, events: ["*"] }, other.live);
    for (const token of [tenant.live, other.test]) {
      expect(refusal(await remove(body.id, token))).toEqual([404, "not_found"]);
    }
    expect(rows(await list(other.live)).map(({ id }) => id)).toEqual([body.id]);
    expect(rows(await list(other.test))).toEqual([]);
  });

  test("are made in the caller's environment only", async () => {
    const refused = await create({ url, events: ["*"], environment: "test" });
    expect(refusal(refused)).toEqual([403, "environment_mismatch"]);
    const own = await create({ url, events: ["*"], environment: "test" }, tenant.test);
    expect(own.body.environment).toBe("test");
    const picked = await create({ url, events: ["*"], environment: "test" }, tenant.owner.access_token);
    expect(picked.body.environment).toBe("test");
  });

  test.each([
    "http://8.8.8.8/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://localhost/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://user:password@8.8.8.8/",
    "https://user@8.8.8.8/",
    "ftp://8.8.8.8/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//8.8.8.8/",
    "8.8.8.8",
    "",
    "https://",
    "https://8.8.8.8/\r\nX: y",
    "https://8.8.8.8/\0",
    "https://8.8.8.8/\ud800",
    `https://8.8.8.8/${"a".repeat(2034)}`,
  ])("are not made for %j, and nothing is stored", async (bad) => {
    const counted = () => api.database.sql("postgres")`select count(*) from mailpipe.webhook_endpoints`;
    const before = await counted();
    const answer = await create({ url: bad, events: ["*"] });
    expect(refusal(answer).slice(0, 3)).toEqual([422, "invalid_request", "url"]);
    expect(await counted()).toEqual(before);
  });

  test("reach a loopback receiver where the operator opened that range, and only there", async () => {
    const loopback = { url: "http://127.0.0.1:9/hook", events: ["*"] };
    expect(refusal(await create(loopback))).toEqual([422, "invalid_request", "url"]);
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
    expect((await create(loopback)).status).toBe(201);
    expect(refusal(await create({ ...loopback, url: "http://10.0.0.1/" }))).toEqual([
      422,
      "invalid_request",
      "url",
    ]);
  });

  test.each<[string, unknown, string]>([
    ["no url", { events: ["*"] }, "url"],
    ["a url that is a number", { url: 1, events: ["*"] }, "url"],
    ["no events", { url }, "events"],
    ["an empty list of events", { url, events: [] }, "events"],
    ["events as a text", { url, events: "*" }, "events"],
    ["51 events", { url, events: Array.from({ length: 51 }, () => "*") }, "events"],
    ["an event there is not", { url, events: ["*", "email.lost"] }, "events[1]"],
    ["another environment", { url, events: ["*"], environment: "prod" }, "environment"],
    ["a description of 501 characters", { url, events: ["*"], description: "d".repeat(501) }, "description"],
    ["a description with NUL", { url, events: ["*"], description: "\0" }, "description"],
    ["a description that is a number", { url, events: ["*"], description: 1 }, "description"],
  ])("are refused with %s", async (_, body, path) => {
    expect(refusal(await create(body))).toEqual([422, "invalid_request", path]);
  });

  test("ask no name server for a caller who may not", async () => {
    const started = performance.now();
    const answer = await create(
      { url: "https://name.invalid/", events: ["*"] },
      `${tenant.live.slice(0, -1)}`,
    );
    expect(refusal(answer)).toEqual([401, "invalid_credential"]);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
