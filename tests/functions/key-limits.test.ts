import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import issueKey from "../../functions/issue-key/index.ts";
import listKeys from "../../functions/list-keys/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { scopes } from "../../shared/access.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
const start = "2030-01-01T00:00:00.000Z";
const mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());
beforeEach(() => api.database.setClock(start));

async function limited(limits: object, fences: object = {}): Promise<Issued> {
  const body = { name: "limited", environment: "test", scopes, limits, fences };
  const answer = await ask(issueKey, "issue-key", { token: tenant.owner.access_token, body });
  return { id: String(answer.body.id), key: String(answer.body.key) };
}

const who = ({ key }: { key: string }, headers = {}) => ask(whoami, "whoami", { token: key, headers });
const send = (token: string, more: object = {}, headers = {}) =>
  ask(sendMail, "send-mail", { token, body: { ...mail, ...more }, headers });
const remaining = ({ headers }: Answer) => headers.get("x-ratelimit-remaining");
const listed = async (id: string) =>
  rows(
    await ask(listKeys, "list-keys?limit=100", {
      token: tenant.owner.access_token,
      headers: { "x-mailpipe-environment": "test" },
    }),
  ).find((key) => key.id === id);

async function child({ key }: Issued, limits?: object): Promise<Issued> {
  const body = { name: "child", environment: "test", scopes: ["keys:write", "mailboxes:read"], limits };
  const answer = await ask(issueKey, "issue-key", { token: key, body });
  return { id: String(answer.body.id), key: String(answer.body.key) };
}
const setTier = (name: string) =>
  api.database.sql("postgres")`select mailpipe.set_tier(${tenant.organization_id}, ${name})`;
/** A mailbox there is not, so that the database refuses. */
const nobody = `mailboxes/mbx_${"0".repeat(26)}`;
/** For what is written behind an answer. */
const patience = { timeout: 5_000, interval: 20 };

describe("a key's limits", () => {
  test("are told by every answer, in both sets of headers", async () => {
    const { headers } = await who(await limited({ per_minute: 5 }));
    expect(
      Object.fromEntries(
        [...headers].filter(([name]) => /ratelimit|retry/.test(name) && !/expose/.test(name)),
      ),
    )
      .toEqual({
        "x-ratelimit-limit": "5",
        "x-ratelimit-remaining": "4",
        "x-ratelimit-reset": "2030-01-01T00:01:00.000Z",
        "ratelimit-policy": '"key";q=5;w=60',
        ratelimit: '"key";r=4;t=60',
      });
  });

  test("are told of by nobody without any", async () => {
    const { headers } = await who(await issue(tenant.owner.access_token));
    expect([...headers].filter(([name]) => /^(x-)?ratelimit|retry/.test(name))).toEqual([]);
  });

  test("refuse with 429, the same headers and when to come back", async () => {
    const key = await limited({ per_minute: 2 });
    await who(key);
    await api.database.advanceClock("20 seconds");
    await who(key);
    const answer = await who(key);
    expect(refusal(answer)).toEqual([429, "rate_limited"]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "retry-after": "40",
      "x-ratelimit-remaining": "0",
      ratelimit: '"key";r=0;t=40',
    });
    expect(answer.body.error).toContain("2030-01-01T00:01:00.000Z");
  });

  test("begin their window with its first request, and end it to the millisecond", async () => {
    const [minute, day] = [await limited({ per_minute: 1 }), await limited({ per_day: 1 })];
    await api.database.advanceClock("13 seconds");
    expect([(await who(minute)).status, (await who(day)).status]).toEqual([200, 200]);
    await api.database.advanceClock("59.999 seconds");
    expect((await who(minute)).status).toBe(429);
    await api.database.advanceClock("1 millisecond");
    expect((await who(minute)).status).toBe(200);
    await api.database.advanceClock("23 hours 58 minutes 59.999 seconds");
    expect((await who(day)).status).toBe(429);
    await api.database.advanceClock("1 millisecond");
    expect((await who(day)).status).toBe(200);
  });

  test("tell the window that will refuse first", async () => {
    const key = await limited({ per_minute: 3, per_day: 4 });
    const policies = [];
    for (let call = 0; call < 3; call++) policies.push((await who(key)).headers.get("ratelimit-policy"));
    await api.database.advanceClock("1 minute");
    policies.push((await who(key)).headers.get("ratelimit-policy"));
    expect(policies).toEqual([...Array(3).fill('"key";q=3;w=60'), '"key";q=4;w=86400']);
    expect((await who(key)).headers.get("retry-after")).toBe(String(86_400 - 60));
  });

  test("count a request that the database refused, once its answer is out", async () => {
    const key = await limited({ per_minute: 10 });
    for (let call = 0; call < 3; call++) {
      expect((await ask(mailboxes, nobody, { token: key.key })).status).toBe(404);
    }
    await expect.poll(async () => {
      const [row] = await api.database.sql("postgres")`
        select minute_used from mailpipe.rate_windows where subject_id = ${key.id}
      `;
      return row?.["minute_used"];
    }).toBe(3);
    expect(remaining(await who(key))).toBe("6");
  });

  test("count a request once, also where it takes two calls, and the second refuses", async () => {
    const key = await limited({ per_minute: 100 });
    const attachments = [{ filename: "a", content: btoa("a") }];
    const keyed = { "idempotency-key": "twice" };
    expect(remaining(await send(key.key, { attachments }, keyed))).toBe("99");
    expect((await send(key.key, { attachments, subject: "other" }, keyed)).status).toBe(409);
    const counts = async () => {
      const [row] = await api.database.sql("postgres")`
        select minute_used as used, (select sum(refused)::int from mailpipe.key_uses where key_id = ${key.id}) as refused
        from mailpipe.rate_windows where subject_id = ${key.id}
      `;
      return row;
    };
    await expect.poll(counts).toEqual({ used: 2, refused: 1 });
    const body = { url: "https://127.0.0.1/h", events: ["*"] };
    expect((await ask(webhooks, "webhooks", { token: key.key, body })).status).toBe(422);
    expect(await counts()).toEqual({ used: 3, refused: 1 });
  });

  test("count what a fence refused, also beyond the limit: the next request from inside waits", async () => {
    const key = await limited({ per_minute: 2 }, { ip_ranges: ["198.51.100.0/24"] });
    const from = (address: string) => who(key, { "x-forwarded-for": address });
    for (let call = 0; call < 3; call++) expect((await from("192.0.2.1")).status).toBe(403);
    const [row] = await api.database.sql("postgres")`
      select minute_used from mailpipe.rate_windows where subject_id = ${key.id}
    `;
    expect(row).toEqual({ minute_used: 3 });
    const answer = await from("198.51.100.1");
    expect([answer.status, remaining(answer), answer.headers.get("retry-after")]).toEqual([429, "0", "60"]);
    await api.database.advanceClock("1 minute");
    expect((await from("198.51.100.1")).status).toBe(200);
  });

  test("tell the window that refused, and none that is over and was overrun", async () => {
    const key = await limited({ per_minute: 1, per_day: 3 }, { ip_ranges: ["198.51.100.0/24"] });
    for (let call = 0; call < 3; call++) await who(key, { "x-forwarded-for": "192.0.2.1" });
    await api.database.advanceClock("1 minute");
    const { headers } = await who(key, { "x-forwarded-for": "198.51.100.1" });
    expect([headers.get("ratelimit-policy"), headers.get("retry-after")]).toEqual([
      '"key";q=3;w=86400',
      String(86_400 - 60),
    ]);
  });

  test("are shared by a key and its children: together they do no more than it might", async () => {
    const parent = await limited({ per_minute: 3 });
    const children = [await child(parent), await child(parent)];
    await api.database.advanceClock("1 minute");
    const statuses = [];
    for (let call = 0; call < 2; call++) {
      for (const one of children) statuses.push((await who(one)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await who(parent)).status).toBe(429);
    await api.database.advanceClock("1 minute");
    expect(remaining(await who(parent))).toBe("2");
  });

  test("are counted of a child against its own and its issuer's, and the one that refuses first is told", async () => {
    const parent = await limited({ per_minute: 5 });
    const own = await child(parent, { per_minute: 2 });
    await api.database.advanceClock("1 minute");
    expect([await who(own), await who(own)].map(remaining)).toEqual(["1", "0"]);
    // What its own window refuses takes nothing from its issuer's.
    for (let call = 0; call < 3; call++) expect((await who(own)).status).toBe(429);
    expect(remaining(await who(parent))).toBe("2");
    const roomy = await child(parent, { per_minute: 4 });
    expect((await who(roomy)).headers.get("x-ratelimit-limit")).toBe("5");
  });

  test("count every refusal once against each of a descent's windows, and in the audit log", async () => {
    const parent = await limited({ per_minute: 50 });
    const own = await child(parent, { per_minute: 20 });
    await api.database.advanceClock("1 minute");
    const body = { name: "more", environment: "test", scopes: ["mail:send"] };
    expect((await ask(issueKey, "issue-key", { token: own.key, body })).status).toBe(403);
    expect((await ask(mailboxes, nobody, { token: own.key })).status).toBe(404);
    await vi.waitFor(async () => {
      expect(
        await api.database.sql("postgres")`
        select subject_id, minute_used from mailpipe.rate_windows
        where subject_id in (${own.id}, ${parent.id}) order by subject_id = ${parent.id}
      `,
      ).toEqual([{ subject_id: own.id, minute_used: 2 }, { subject_id: parent.id, minute_used: 2 }]);
      expect(await listed(own.id)).toMatchObject({ use_count: 0, refused_count: 2 });
    }, patience);
    expect(
      await api.database.sql("postgres")`
      select detail from mailpipe.audit where subject_id = ${own.id} and action = 'key.refused'
    `,
    ).toEqual([{ detail: { reason: "scope_missing", detail: "mail:send" } }]);
  });
});

describe("an organization's tier", () => {
  beforeEach(async () => {
    await api.database.sql("postgres")`
      delete from mailpipe.rate_windows where starts_with(subject_id, ${tenant.organization_id})
    `;
    await setTier("free");
  });
  afterEach(() => setTier("none"));

  const messageCount = () =>
    api.database.sql("postgres")`select count(*)::int as messages from mailpipe.messages`;
  const keyed = (key: string) => ({ "idempotency-key": key });

  test("counts accepted messages: no repeat, no refusal, no other call; a session's too", async () => {
    expect(remaining(await send(tenant.test, {}, keyed("a")))).toBe("9");
    await send(tenant.test, {}, keyed("a"));
    await send(tenant.test, { subject: "other" }, keyed("a"));
    await send(tenant.test, { provider_id: `prv_${"0".repeat(26)}` });
    expect([...(await who({ key: tenant.test })).headers.keys()]).not.toContain("x-ratelimit-limit");
    const session = await send(tenant.owner.access_token, {}, { "x-mailpipe-environment": "test" });
    expect(session.status).toBe(202);
    expect(remaining(session)).toBe("8");
    expect(session.headers.get("ratelimit-policy")).toBe('"organization";q=10;w=1');
    await api.database.advanceClock("1 second");
    expect(remaining(await send(tenant.test))).toBe("9");
    await setTier("none");
    expect(remaining(await send(tenant.test))).toBeNull();
  });

  test("is told where it refuses before the key's own limit, which is told otherwise", async () => {
    const [narrow, wide] = [await limited({ per_minute: 4 }), await limited({ per_minute: 100 })];
    const told = async ({ key }: Issued) => (await send(key)).headers.get("ratelimit-policy");
    expect([await told(narrow), await told(wide)]).toEqual([
      '"key";q=4;w=60',
      '"organization";q=10;w=1',
    ]);
  });

  test("counts live and test mail apart", async () => {
    await api.database.sql("postgres").begin((sql) =>
      sql`
        select
          set_config('mailpipe.organization_id', ${tenant.organization_id}, true),
          set_config('mailpipe.environment', 'live', true),
          mailpipe.take_for_organization(10)
      `
    );
    const answer = await send(tenant.test);
    expect([answer.status, remaining(answer)]).toEqual([202, "9"]);
  });

  const longer: [tier: string, unit: string, most: number, length: string][] = [
    ["free", "hour", 100, "1 hour"],
    ["free", "day", 1_000, "1 day"],
    ["pro", "hour", 1_000, "1 hour"],
    ["pro", "day", 50_000, "1 day"],
  ];
  test.each(longer)("%s holds for the %s too", async (name, unit, most, length) => {
    await setTier(name);
    expect((await send(tenant.test)).status).toBe(202);
    const sql = api.database.sql("postgres");
    await sql`
      update mailpipe.rate_windows set ${sql(`${unit}_used`)} = ${most - 1}
      where subject_id = ${`${tenant.organization_id}:test`}
    `;
    await api.database.advanceClock("1 second");
    const last = await send(tenant.test);
    expect([last.status, remaining(last), last.headers.get("x-ratelimit-limit")]).toEqual([
      202,
      "0",
      String(most),
    ]);
    await api.database.advanceClock("1 second");
    expect((await send(tenant.test)).status).toBe(429);
    await api.database.advanceClock(length);
    expect((await send(tenant.test)).status).toBe(202);
  });

  test("refuses with 429, and a repeat of the same call is accepted later", async () => {
    for (let call = 0; call < 10; call++) expect((await send(tenant.test)).status).toBe(202);
    const before = await messageCount();
    const refused = await send(tenant.test, {}, keyed("late"));
    expect(refusal(refused)).toEqual([429, "rate_limited"]);
    expect(await messageCount()).toEqual(before);
    expect(refused.headers.get("retry-after")).toBe("1");
    await api.database.advanceClock("1 second");
    const later = await send(tenant.test, {}, keyed("late"));
    expect([later.status, later.headers.get("idempotent-replayed")]).toEqual([202, null]);
  });
});

describe("list-keys", () => {
  const maintain = () =>
    ask(runMaintenance, "run-maintenance", { headers: { apikey: api.secretKey }, body: {} });

  test("says how often, when and from which range, the same before and after a flush", async () => {
    const key = await limited({});
    expect(await listed(key.id)).toMatchObject({
      use_count: 0,
      refused_count: 0,
      last_used_at: null,
      last_used_range: null,
    });
    await who(key, { "x-forwarded-for": "198.51.100.77" });
    await api.database.advanceClock("5 seconds");
    await who(key, { "x-forwarded-for": "2001:db8:1:2::3" });
    const seen = {
      use_count: 2,
      last_used_at: "2030-01-01T00:00:05.000Z",
      last_used_range: "2001:db8:1::/48",
    };
    expect(await listed(key.id)).toMatchObject(seen);
    await maintain();
    expect(await listed(key.id)).toMatchObject(seen);
    await who(key);
    expect(await listed(key.id)).toMatchObject({ ...seen, use_count: 3 });
  });

  test("says how often a key was refused, the same before and after a flush", async () => {
    const key = await limited({});
    await who(key);
    await api.database.advanceClock("5 seconds");
    await ask(mailboxes, nobody, { token: key.key });
    await ask(mailboxes, nobody, { token: key.key });
    const seen = { use_count: 1, refused_count: 2, last_used_at: start };
    await vi.waitFor(async () => expect(await listed(key.id)).toMatchObject(seen), patience);
    await maintain();
    expect(await listed(key.id)).toMatchObject(seen);
    await ask(mailboxes, nobody, { token: key.key });
    await vi.waitFor(
      async () => expect(await listed(key.id)).toMatchObject({ ...seen, refused_count: 3 }),
      patience,
    );
    await maintain();
    expect(await listed(key.id)).toMatchObject({ ...seen, refused_count: 3 });
  });

  test("keeps the range a key was last seen in, whichever connections its requests come over", async () => {
    const key = await limited({});
    const sql = api.database.sql("postgres");
    // Two slots, as two connections write them: the later request came without an address.
    await sql`
      insert into mailpipe.key_uses (key_id, slot, used, refused, last_used_at, last_used_range)
      values (${key.id}, 1, 1, 0, ${start}, '198.51.100.0/24'), (${key.id}, 2, 1, 0, '2030-01-01T00:00:05Z', null)
    `;
    const seen = {
      use_count: 2,
      last_used_at: "2030-01-01T00:00:05.000Z",
      last_used_range: "198.51.100.0/24",
    };
    expect(await listed(key.id)).toMatchObject(seen);
    await maintain();
    expect(await listed(key.id)).toMatchObject(seen);
  });

  test("counts the use of a dead key, and says it in the audit log", async () => {
    const { id, key } = await issue(tenant.owner.access_token, {
      environment: "test",
      expires_at: "2030-01-01T00:00:01Z",
    });
    await api.database.advanceClock("1 second");
    expect((await who({ key })).status).toBe(401);
    await expect.poll(async () => (await listed(id))?.refused_count).toBe(1);
    const [line] = await api.database.sql("postgres")`
      select detail from mailpipe.audit where subject_id = ${id} and action = 'key.refused'
    `;
    expect(line).toEqual({ detail: { reason: "expired", detail: "invalid_credential" } });
  });
});

// The last, because only here a worker answers.
describe("a request that waits for its verdict", () => {
  test("counts once, however often it asks", async () => {
    await api.serveFunctions({ "deliver-mail": deliverMail });
    const key = await limited({ per_minute: 10 });
    const answer = await send(key.key, { wait: true });
    expect([answer.status, remaining(answer)]).toEqual([200, "9"]);
    expect(remaining(await who(key))).toBe("8");
    expect(await listed(key.id)).toMatchObject({ use_count: 2 });
  });
});
