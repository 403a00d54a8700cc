import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { type StandIn, startStandIn } from "../support/stand-in.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { changeEndpoint, dispatch, sendTest, subscribe } from "../support/webhooks.ts";

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

const get = (id: unknown, token = tenant.live) => ask(webhooks, `webhooks/${String(id)}`, { token });
const change = (id: unknown, body: object, token = tenant.live) => changeEndpoint(token, String(id), body);
const tryOut = (id: unknown, token = tenant.live) =>
  ask(webhooks, `webhooks/${String(id)}/test`, { token, method: "POST" });
const rotate = (id: unknown, body: object, token = tenant.live) =>
  ask(webhooks, `webhooks/${String(id)}/rotate-secret`, { token, body });
const sql = () => api.database.sql("postgres");
/** As text, so that what is no header is not taken for a secret of a few characters. */
const withHeaders = (headers: unknown, method = "POST", path = "webhooks") =>
  ask(webhooks, path, {
    token: tenant.live,
    method,
    raw: JSON.stringify({ ...(method === "POST" ? { url, events: ["*"] } : {}), headers }),
    headers: { "content-type": "application/json" },
  });

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

describe("a customer's own headers", () => {
  let receiver: StandIn;
  const authorization = "Bearer of the receiver";

  beforeAll(async () => {
    receiver = await startStandIn((_, response) => void response.writeHead(204).end());
  });
  afterAll(() => receiver.close());
  afterEach(() => void (receiver.calls.length = 0));

  test("go out with every delivery beside ours, are kept sealed, and only their names are shown", async () => {
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
    const headers = { "X-Customer_1": "~ any visible text !", Authorization: authorization };
    const made = await create({ url: receiver.url, events: ["*"], headers }, tenant.test);
    expect(made.body.header_names).toEqual(["authorization", "x-customer_1"]);
    for (const shown of [made, await get(made.body.id, tenant.test), await list(tenant.test)]) {
      expect(shown.text).not.toContain(authorization);
    }
    const [row] = await sql()`
      select encode(headers, 'escape') as sealed from mailpipe.webhook_endpoints where id = ${
      String(made.body.id)
    }
    `;
    expect(row?.["sealed"]).not.toContain(authorization);

    await sendTest(tenant.test, String(made.body.id));
    await dispatch(api);
    expect(receiver.calls).toMatchObject([{
      headers: {
        authorization,
        "x-customer_1": "~ any visible text !",
        "content-type": "application/json",
        "user-agent": "Mailpipe-Webhooks/1",
        "webhook-id": expect.stringMatching(/^evt_/) as string,
      },
    }]);
  });

  test("change as a whole, and go with null or with none", async () => {
    const { id } = await subscribe(tenant.live, url, { headers: { one: "value-of-the-first" } });
    const names = async (headers: unknown) =>
      (await withHeaders(headers, "PATCH", `webhooks/${id}`)).body.header_names;
    expect(await names({ two: "value-of-the-second" })).toEqual(["two"]);
    expect((await change(id, { description: "no word of headers" })).body.header_names).toEqual(["two"]);
    expect(await names({})).toEqual([]);
    expect(await names({ three: "value-of-the-third" })).toEqual(["three"]);
    expect(await names(null)).toEqual([]);
    const [row] = await sql()`select headers from mailpipe.webhook_endpoints where id = ${id}`;
    expect(row?.["headers"]).toBeNull();
  });

  test.each([
    ...["x-mailpipe-signature", "X-Mailpipe-Payload-Version", "x-mailpipe-", "X-MAILPIPE-NEW"],
    ...["webhook-id", "Webhook-Timestamp", "WEBHOOK-SIGNATURE", "svix-id", "Svix-Signature", "User-Agent"],
    ...["host", "Host", "HOST", "content-type", "Content-Length", "CONTENT-ENCODING", "content-"],
    ...["connection", "Connection", "transfer-encoding", "Transfer-Encoding", "TE", "trailer", "upgrade"],
    ...["keep-alive", "Proxy-Authorization", "proxy-connection", "Expect"],
    ...[
      "",
      " ",
      " host",
      "host ",
      "host:",
      ":authority",
      "a b",
      "a\tb",
      "a\r\nb",
      "a\nhost",
      "a\0",
      "a\u007f",
    ],
    ...[
      "é",
      "a\u200b",
      "ｈost",
      "ho\u017ft",
      "\u212aeep-alive",
      "\ud800",
      "a(b)",
      '"a"',
      "a/b",
      "a[0]",
      "a,b",
      "a;b",
    ],
    ...["x".repeat(101), "__proto__", "__PROTO__"],
  ])("are refused under the name %j, and the field is named", async (name) => {
    const headers = Object.fromEntries([[name, "value-of-one-header"]]);
    expect(refusal(await withHeaders(headers))).toEqual([422, "invalid_request", `headers.${name}`]);
    const { id } = await subscribe(tenant.live, url);
    const refused = await withHeaders(headers, "PATCH", `webhooks/${id}`);
    expect(refusal(refused)).toEqual([422, "invalid_request", `headers.${name}`]);
  });

  test.each<[unknown]>([
    ...["", " ", " a", "a ", "\ta", "a\t", "a\tb"].map((each) => [each] as [string]),
    ...["a\r\nHost: b", "a\nb", "a\rb", "a\0b", "a\u0001", "a\u007f", "é", "漢", "\u2028", "\ud800", "\u00a0"]
      .map((each) => [each] as [string]),
    ...["x".repeat(2001), 1, true, null, ["a"], { a: "b" }].map((each) => [each] as [unknown]),
  ])("are refused with the value %j, and the field is named", async (value) => {
    expect(refusal(await withHeaders({ fine: "value-of-a-fine-one", "X-Bad": value }))).toEqual([
      422,
      "invalid_request",
      "headers.X-Bad",
    ]);
  });

  test.each<[string, unknown, string[]]>([
    [
      "21 of them",
      Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`x-${n}`, "value-of-a-header"])),
      [
        "headers",
      ],
    ],
    ["one name in two spellings", { "X-Twin": "value-of-a-header", "x-twin": "value-of-a-twin" }, [
      "headers.X-Twin",
      "headers.x-twin",
    ]],
    ["a list", [], ["headers"]],
    ["a text", "a: b", ["headers"]],
    ["a number", 1, ["headers"]],
  ])("are refused as %s", async (_, headers, paths) => {
    expect(refusal(await withHeaders(headers))).toEqual([422, "invalid_request", ...paths]);
  });

  test("are up to 20, with names of 100 and values of 2,000 characters", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`${"x".repeat(98)}${n + 10}`, `${n + 10}${"v".repeat(1998)}`]),
    );
    const made = await withHeaders(many);
    expect(made.status).toBe(201);
    expect(made.body.header_names).toEqual(Object.keys(many));
    expect(
      (await withHeaders({ constructor: "value-of-constructor", "!#$%&'*+.^`|~": "value-of-odd-name" }))
        .status,
    ).toBe(
      201,
    );
  });
});

describe("PATCH webhooks/<id>", () => {
  test("changes what it names and nothing else, and GET shows it", async () => {
    const made = await create({ url, events: ["email.sent"], description: "before", max_per_second: 5 });
    const { secret: _, ...before } = made.body;
    const changes = {
      url: "https://8.8.4.4/other",
      events: ["email.bounced", "email.bounced"],
      description: null,
      thin: true,
      max_concurrent: 50,
      max_per_second: null,
    };
    for (const [field, value] of Object.entries(changes)) {
      const shown = { ...before, [field]: field === "events" ? ["email.bounced"] : value };
      const answer = await change(before.id, { [field]: value });
      expect(answer.body).toEqual(shown);
      expect((await get(before.id)).body).toEqual(shown);
      Object.assign(before, shown);
    }
    const [row] = await sql()`
      select array_agg(detail -> 'fields' ->> 0 order by position) as fields from mailpipe.audit
      where action = 'webhook.changed' and subject_id = ${String(before.id)}
    `;
    expect(row?.["fields"]).toEqual(Object.keys(changes));
  });

  test("disables by hand and enables, each with the time of the first", async () => {
    await api.database.setClock("2026-05-01T10:00:00.000Z");
    const { id } = await subscribe(tenant.live, url);
    const disabled = { enabled: false, disabled_reason: "by_hand", disabled_at: "2026-05-01T10:00:00.000Z" };
    expect((await change(id, { enabled: false })).body).toMatchObject(disabled);
    await api.database.advanceClock("1 hour");
    expect((await change(id, { enabled: false })).body).toMatchObject(disabled);
    const enabled = { enabled: true, disabled_reason: null, disabled_at: null };
    expect((await change(id, { enabled: true })).body).toMatchObject(enabled);
    await api.database.setClock(new Date().toISOString());
  });

  test.each<[object, boolean]>([
    [{ url: "https://8.8.4.4/other" }, true],
    [{ enabled: true }, true],
    [{ description: "other" }, false],
    [{ max_concurrent: 1 }, false],
  ])("%j forgets how the endpoint failed: %j", async (body, forgets) => {
    const { id } = await subscribe(tenant.live, url);
    await sql()`
      update mailpipe.webhook_endpoints set failing_since = mailpipe.clock(), resume_at = mailpipe.clock(), slots = 2
      where id = ${id}
    `;
    await change(id, body);
    const [row] = await sql()`
      select failing_since is null as forgiven, resume_at is null as asked, slots from mailpipe.webhook_endpoints
      where id = ${id}
    `;
    expect(row).toEqual({ forgiven: forgets, asked: forgets, slots: forgets ? 4 : 2 });
  });

  test.each<[string, unknown, string]>([
    ["nothing", {}, ""],
    ["a private address", { url: "https://10.0.0.1/" }, "url"],
    ["plain http", { url: "http://8.8.8.8/" }, "url"],
    ["a url of null", { url: null }, "url"],
    ["no events", { events: [] }, "events"],
    ["events of null", { events: null }, "events"],
    ["an event there is not", { events: ["email.lost"] }, "events[0]"],
    ["a test event to subscribe to", { events: ["webhook.test"] }, "events[0]"],
    ["enabled as a text", { enabled: "true" }, "enabled"],
    ["enabled of null", { enabled: null }, "enabled"],
    ["thin as a number", { thin: 1 }, "thin"],
    ["501 characters", { description: "d".repeat(501) }, "description"],
    ["no try at once", { max_concurrent: 0 }, "max_concurrent"],
    ["51 tries at once", { max_concurrent: 51 }, "max_concurrent"],
    ["half a try", { max_concurrent: 1.5 }, "max_concurrent"],
    ["max_concurrent of null", { max_concurrent: null }, "max_concurrent"],
    ["none a second", { max_per_second: 0 }, "max_per_second"],
    ["1,001 a second", { max_per_second: 1001 }, "max_per_second"],
    ["a rate as a text", { max_per_second: "10" }, "max_per_second"],
    ["another environment", { description: "other", environment: "test" }, "environment"],
    ["a secret of its own", { thin: true, secret: "whsec_of_a_customer" }, "secret"],
    ["a reason", { enabled: false, disabled_reason: "gone" }, "disabled_reason"],
  ])("is refused with %s, names the field and changes nothing", async (_, body, path) => {
    const { id } = await subscribe(tenant.live, url, { description: "before" });
    const before = await get(id);
    expect(refusal(await change(id, body as object))).toEqual([422, "invalid_request", path]);
    expect((await get(id)).body).toEqual(before.body);
  });

  test("is 404, as every other call, for what is not there or somebody else's", async () => {
    const { id } = await subscribe(tenant.live, url);
    const other = await foundTenant(api, "stranger");
    const calls = (one: string, token: string) => [
      get(one, token),
      change(one, { enabled: false }, token),
      tryOut(one, token),
      rotate(one, {}, token),
      remove(one, token),
    ];
    const nowhere = ["whk_00000000000000000000000000", "nothing", "%00", "'", id.toLowerCase(), `${id}%20`];
    const tries = [
      ...nowhere.map((one) => [one, tenant.live] as const),
      ...[tenant.test, other.live].map((token) => [id, token] as const),
    ];
    for (const [one, token] of tries) {
      for (const answer of await Promise.all(calls(one, token))) {
        expect(refusal(answer), one).toEqual([404, "not_found"]);
      }
    }
    expect((await get(id)).body).toMatchObject({ enabled: true, previous_secret_until: null });
  });
});

describe("POST webhooks/<id>/test", () => {
  test("sends an event to that endpoint alone, whatever it subscribed to", async () => {
    const { id } = await subscribe(tenant.live, url, { events: ["domain.verified"] });
    await subscribe(tenant.live, url);
    const { event_id, delivery_id } = await sendTest(tenant.live, id);
    const delivered = await sql()`
      select delivery.id, endpoint_id, event.type, data from mailpipe.deliveries as delivery
      join mailpipe.events as event on event.id = event_id where event_id = ${event_id}
    `;
    expect([...delivered]).toEqual([{
      id: delivery_id,
      endpoint_id: id,
      type: "webhook.test",
      data: { endpoint_id: id, message: "Sent by POST webhooks/<id>/test." },
    }]);
  });

  test("is 409 for an endpoint that is disabled, and says how to enable it", async () => {
    const { id } = await subscribe(tenant.live, url);
    await change(id, { enabled: false });
    const answer = await tryOut(id);
    expect(refusal(answer)).toEqual([409, "webhook_disabled"]);
    expect(answer.body).toMatchObject({
      error: "The endpoint is disabled: by_hand.",
      hint: 'Enable it first: PATCH webhooks/<id> with { "enabled": true }.',
    });
  });
});

describe("an environment's endpoints", () => {
  test("are a hundred at most; one that was removed makes room", async () => {
    const full = await foundTenant(api, "full");
    const made = await subscribe(full.live, url);
    await sql()`
      insert into mailpipe.webhook_endpoints (organization_id, environment, url, events, secret)
      select organization_id, environment, url, events, secret from mailpipe.webhook_endpoints, generate_series(1, 98)
      where id = ${made.id}
    `;
    expect((await create({ url, events: ["*"] }, full.live)).status).toBe(201);
    const refused = await create({ url, events: ["*"] }, full.live);
    expect(refusal(refused)).toEqual([409, "too_many_webhooks"]);
    expect(refused.body).toMatchObject({
      error: "There are a hundred endpoints in this environment already.",
      hint: "Remove one that is not needed: DELETE webhooks/<id>.",
    });
    expect((await create({ url, events: ["*"] }, full.test)).status).toBe(201);
    // Removed, but not cleared yet.
    await sql()`
      update mailpipe.webhook_endpoints
      set removed_at = now(), enabled = false, disabled_reason = 'removed', disabled_at = now() where id = ${made.id}
    `;
    expect((await create({ url, events: ["*"] }, full.live)).status).toBe(201);
    const first = await list(full.live, "?limit=60");
    const second = await list(full.live, `?limit=60&cursor=${String(first.body.next)}`);
    const ids = [...rows(first), ...rows(second)].map(({ id }) => id);
    expect([new Set(ids).size, ids.includes(made.id), second.body.has_more]).toEqual([100, false, false]);
  });
});

describe("POST webhooks/<id>/rotate-secret", () => {
  test.each<[string, unknown, string]>([
    ["a negative overlap", { overlap_seconds: -1 }, "overlap_seconds"],
    ["an overlap over 30 days", { overlap_seconds: 30 * 86_400 + 1 }, "overlap_seconds"],
    ["half a second", { overlap_seconds: 0.5 }, "overlap_seconds"],
    ["an overlap as a text", { overlap_seconds: "60" }, "overlap_seconds"],
    ["an overlap of null", { overlap_seconds: null }, "overlap_seconds"],
    ["a secret of its own", { secret: "whsec_of_a_customer" }, "secret"],
  ])("is refused with %s, and the secret stays", async (_, body, path) => {
    const { id } = await subscribe(tenant.live, url);
    const held = () => sql()`select secret, previous_secret from mailpipe.webhook_endpoints where id = ${id}`;
    const before = await held();
    expect(refusal(await rotate(id, body as object))).toEqual([422, "invalid_request", path]);
    expect(await held()).toEqual(before);
  });

  test("shows the new secret once, and until when the old one verifies: a day unless said, 30 at most", async () => {
    await api.database.setClock("2026-05-01T10:00:00.000Z");
    const { id, secret } = await subscribe(tenant.live, url);
    const rotated = await rotate(id, {});
    expect(rotated.status).toBe(201);
    expect(rotated.body).toMatchObject({ previous_secret_until: "2026-05-02T10:00:00.000Z" });
    expect(rotated.body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(rotated.body.secret).not.toBe(secret);
    expect((await get(id)).text).not.toContain("whsec_");
    expect(refusal(await rotate(id, {}))).toEqual([409, "secret_rotating"]);
    await api.database.advanceClock("1 day");
    expect((await rotate(id, { overlap_seconds: 30 * 86_400 })).body.previous_secret_until).toBe(
      "2026-06-01T10:00:00.000Z",
    );
    await api.database.advanceClock("30 days");
    expect((await get(id)).body.previous_secret_until).toBeNull();
    const [row] = await sql()`
      select array_agg(detail ->> 'overlap_seconds' order by position) as overlaps from mailpipe.audit
      where action = 'webhook.secret_rotated' and subject_id = ${id}
    `;
    expect(row?.["overlaps"]).toEqual(["86400", "2592000"]);
    await api.database.setClock(new Date().toISOString());
  });
});
