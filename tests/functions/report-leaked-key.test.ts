import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import listKeys from "../../functions/list-keys/index.ts";
import reportLeakedKey from "../../functions/report-leaked-key/index.ts";
import rotateKey from "../../functions/rotate-key/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { mintKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let calls = 0;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  await api.database.sql("postgres")`
    update mailpipe.settings set notify_from = 'security@acme.example'
  `;
});
afterAll(() => api.close());

/** Each report comes from an address of its own, unless one is given. */
const report = (keys: unknown, more: object = {}, address = `192.0.2.${++calls}`) =>
  ask(reportLeakedKey, "report-leaked-key", {
    body: { keys, ...more },
    headers: { "x-forwarded-for": address },
  });
const works = async (key: string) => (await ask(whoami, "whoami", { token: key })).status === 200;
const source_url = "https://paste.example/1";
const events = (type: string) =>
  api.database.sql("postgres")<{ data: Record<string, unknown> }[]>`
    select data from mailpipe.events where type = ${type} order by position
  `;

describe("report-leaked-key", () => {
  test("revokes a whole and valid key with everything that came from it, successors of itself too", async () => {
    const leaked = await issue(tenant.owner.access_token);
    const child = await issue(leaked.key);
    const own = await ask(rotateKey, "rotate-key", { token: leaked.key, body: { id: leaked.id } });
    const grandchild = await issue(String(own.body.key));
    const bystander = await issue(tenant.owner.access_token);
    expect((await report([leaked.key], { source_url })).body).toEqual({ received: 1 });
    const keys = [leaked.key, child.key, String(own.body.key), grandchild.key];
    expect(await Promise.all(keys.map(works))).toEqual([false, false, false, false]);
    expect(await works(bystander.key)).toBe(true);
  });

  test("tells the owner: two events, lines of audit, and where it was found", async () => {
    const { id, key } = await issue(tenant.owner.access_token, { environment: "test" });
    await report([key], { source_url });
    const about = async (type: string) =>
      (await events(type)).map(({ data }) => data).filter(({ key_id }) => key_id === id);
    expect(await about("key.exposed")).toMatchObject([{
      how: "reported",
      source_url,
      last_four: key.slice(-4),
    }]);
    expect(await about("key.revoked")).toMatchObject([{ source_url, revoked_by: "report-leaked-key" }]);
    const audit = await api.database.sql("postgres")`
      select action, actor_kind, detail from mailpipe.audit
      where subject_id = ${id} and action in ('key.exposed', 'key.revoked')
      order by position
    `;
    expect(audit).toMatchObject([
      { action: "key.exposed", detail: { how: "reported", source_host: "paste.example" } },
      { action: "key.revoked", actor_kind: "report", detail: { source_host: "paste.example" } },
    ]);
  });

  test("mails the owners from notify_from, through the default account, once there is one", async () => {
    const mails = () =>
      api.database.sql("postgres")`
        select message.from_email, message.text_body, recipient.email
        from mailpipe.messages as message
        join mailpipe.recipients as recipient on recipient.message_id = message.id
        where message.from_email = 'security@acme.example'
      `;
    expect(await mails()).toEqual([]);
    await api.database.sql("postgres")`
      insert into mailpipe.providers (
        organization_id, environment, kind, name, is_default, credentials, inbound_token_hash
      )
      values (
        ${tenant.organization_id}, 'live', 'smtp', 'ours', true,
        extensions.pgp_sym_encrypt('x', 'x', 'cipher-algo=aes256, s2k-mode=1'), sha256('x')
      )
    `;
    const { id, key } = await issue(tenant.owner.access_token);
    await report([key], { source_url });
    const [mail, ...more] = await mails();
    expect(more).toEqual([]);
    expect(mail).toMatchObject({ email: "owner@acme.example" });
    expect(mail?.["text_body"]).toContain(source_url);
    expect(mail?.["text_body"]).toContain(id);
    expect(mail?.["text_body"]).not.toContain(key);
  });

  test("cancels what the key had queued", async () => {
    const { key } = await issue(tenant.owner.access_token, { environment: "test" });
    const message = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };
    const { body } = await ask(sendMail, "send-mail", { token: key, body: message });
    await report([key]);
    const [sent] = await api.database.sql("postgres")`
      select status, (select count(*)::int from mailpipe.jobs where subject_id = message.id) as jobs
      from mailpipe.messages as message where id = ${String(body.id)}
    `;
    expect(sent).toEqual({ status: "cancelled", jobs: 0 });
  });

  test("answers the same whatever the keys are, headers included", async () => {
    const live = await issue(tenant.owner.access_token);
    const dead = await issue(tenant.owner.access_token);
    await report([dead.key]);
    const answers = [];
    for (const key of [live.key, dead.key, mintKey("live").plain, "nothing", `${live.key.slice(0, -1)}!`]) {
      answers.push(await report([key]));
    }
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const shown = answers.map(({ headers }) =>
      JSON.stringify([...headers].filter(([name]) => name !== "x-request-id" && name !== "x-ratelimit-reset"))
    );
    expect(new Set(shown).size).toBe(1);
  });

  test("revokes by the whole key alone: not by an id, a hash, or most of a key", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    const [row] = await api.database.sql("postgres")`
      select encode(hash, 'hex') as hash from mailpipe.api_keys where id = ${id}
    `;
    await report([id, String(row?.["hash"]), key.slice(0, 45), `${key}x`, key.toLowerCase()]);
    expect(await works(key)).toBe(true);
    await report([`  ${key}\n`]);
    expect(await works(key)).toBe(false);
  });

  test("takes a hundred at once, of several organizations", async () => {
    const other = await foundTenant(api, "other");
    const ours = await issue(tenant.owner.access_token);
    const theirs = await issue(other.owner.access_token);
    const noise = Array.from({ length: 98 }, () => mintKey("test").plain);
    expect((await report([ours.key, ...noise, theirs.key])).body).toEqual({ received: 100 });
    expect([await works(ours.key), await works(theirs.key)]).toEqual([false, false]);
  });

  test("keeps no key that stands in the address it was found at", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    await report([key], { source_url: `https://paste.example/?k=${key}` });
    const [row] = await api.database.sql("postgres")`
      select string_agg(event.data::text, '') || (select string_agg(line.detail::text, '') from mailpipe.audit as line)
        as text
      from mailpipe.events as event
    `;
    expect(String(row?.["text"])).not.toContain(key);
    expect(String(row?.["text"])).toContain("https://paste.example/?k=mp_live_…");
    expect(id).toBeTruthy();
  });

  test("keeps no mail address and no password of that address in the audit log", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    await report([key], { source_url: "https://alice:pw@paste.example/?mail=alice@example.com" });
    const lines = await api.database.sql("postgres")<{ detail: string }[]>`
      select detail::text as detail from mailpipe.audit where subject_id = ${id}
    `;
    expect(lines.filter(({ detail }) => /alice|pw@/.test(detail))).toEqual([]);
    const told = (await events("key.exposed")).map(({ data }) => data).filter(({ key_id }) => key_id === id);
    expect(told).toMatchObject([{ source_url: "https://paste.example/?mail=alice@example.com" }]);
  });

  test("takes ten reports a minute from an address, and then says when to come back", async () => {
    await api.database.setClock(new Date().toISOString());
    for (let call = 0; call < 10; call++) expect((await report(["x"], {}, "198.51.100.7")).status).toBe(202);
    const refused = await report(["x"], {}, "198.51.100.7");
    expect(refusal(refused)).toEqual([429, "rate_limited"]);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect((await report(["x"], {}, "198.51.100.8")).status).toBe(202);
    expect((await report(["x"], {}, "203.0.113.1, 198.51.100.7")).status).toBe(429);
    await api.database.advanceClock("60 seconds");
    expect((await report(["x"], {}, "198.51.100.7")).status).toBe(202);
    const [kept] = await api.database.sql("postgres")`
      select count(*)::int as addresses from mailpipe.rate_windows where subject_id like '%198.51%'
    `;
    expect(kept).toEqual({ addresses: 0 });
  });

  test.each([
    ["no keys", { keys: undefined }, "keys"],
    ["an empty list", { keys: [] }, "keys"],
    ["101 keys", { keys: Array.from({ length: 101 }, () => "x") }, "keys"],
    ["a key that is a number", { keys: [1] }, "keys[0]"],
    ["keys as a text", { keys: "x" }, "keys"],
    ["a source with NUL", { keys: ["x"], source_url: "http://x.example/\u0000" }, "source_url"],
    ["a source with half a character", { keys: ["x"], source_url: "http://x.example/\ud800" }, "source_url"],
    ["a source with a line break", { keys: ["x"], source_url: "http://x.example/\na" }, "source_url"],
    ["a source that is no address", { keys: ["x"], source_url: "there" }, "source_url"],
    ["a source of another scheme", { keys: ["x"], source_url: "javascript:alert(1)" }, "source_url"],
  ])("is 422 for %s", async (_, body, path) => {
    const answer = await ask(reportLeakedKey, "report-leaked-key", { body });
    expect(refusal(answer)).toEqual([422, "invalid_request", path]);
  });
});

describe("a key that is shown where it does not belong", () => {
  const listed = async (id: string) =>
    rows(await ask(listKeys, "list-keys?limit=100", { token: tenant.owner.access_token })).find((key) =>
      key.id === id
    );
  const exposed = async (id: string) =>
    (await events("key.exposed")).map(({ data }) => data).filter(({ key_id }) => key_id === id);

  test.each<[string, (key: string) => ReturnType<typeof ask>, [number, string]]>([
    [
      "from a browser",
      (key) => ask(whoami, "whoami", { token: key, headers: { origin: "https://app.example" } }),
      [401, "key_in_browser"],
    ],
    [
      "over plain HTTP",
      (key) => ask(whoami, "whoami", { token: key, headers: { "x-forwarded-proto": "http" } }),
      [403, "https_required"],
    ],
    ["in a query", (key) => ask(whoami, `whoami?api_key=${key}`), [400, "key_misplaced"]],
    [
      "in a query beside a good credential",
      (key) => ask(whoami, `whoami?api_key=${key}`, { token: tenant.live }),
      [400, "key_misplaced"],
    ],
    ["in the apikey header", (key) => ask(whoami, "whoami", { headers: { apikey: key } }), [
      400,
      "key_misplaced",
    ]],
    ["in a header of its own", (key) => ask(whoami, "whoami", { headers: { "x-api-key": key } }), [
      400,
      "key_misplaced",
    ]],
  ])(
    "%s is refused, marked once, due for rotation, told of, and goes on working",
    async (_, show, expected) => {
      const { id, key } = await issue(tenant.owner.access_token);
      expect(refusal(await show(key))).toEqual(expected);
      const first = await listed(id);
      expect(first?.exposed_at).not.toBeNull();
      expect(first?.rotation_due).toBe(true);
      expect(await exposed(id)).toMatchObject([{ how: expected[1], last_four: key.slice(-4) }]);
      await show(key);
      expect((await listed(id))?.exposed_at).toBe(first?.exposed_at);
      expect(await exposed(id)).toHaveLength(1);
      expect(await works(key)).toBe(true);
      expect((await listed(String((await issue(tenant.owner.access_token)).id)))?.exposed_at).toBeNull();
    },
  );

  test("is ignored where the apikey header holds the project's publishable key", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    const answer = await ask(whoami, "whoami", { token: key, headers: { apikey: api.publishableKey } });
    expect(answer.status).toBe(200);
    expect((await listed(id))?.exposed_at).toBeNull();
  });

  test("is told of as due once, by maintenance", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    await ask(whoami, `whoami?k=${key}`);
    const { default: runMaintenance } = await import("../../functions/run-maintenance/index.ts");
    const maintain = () =>
      ask(runMaintenance, "run-maintenance", { headers: { apikey: api.secretKey }, body: {} });
    await maintain();
    await maintain();
    const due = (await events("key.rotation_due")).filter(({ data }) => data["key_id"] === id);
    expect(due).toMatchObject([{ data: { exposed_at: expect.any(String) } }]);
  });
});

describe("a honey key", () => {
  test("is answered like an unknown one, and its first use is told once", async () => {
    const body = { name: "bait", environment: "live", scopes: ["mail:send"], honey: true };
    const { body: bait } = await ask(issueKey, "issue-key", { token: tenant.owner.access_token, body });
    const headers = { "x-request-id": "same" };
    const unknown = await ask(whoami, "whoami", { token: mintKey("live").plain, headers });
    const used = await ask(whoami, "whoami", { token: String(bait.key), headers });
    expect([used.status, used.text, [...used.headers]]).toEqual([
      unknown.status,
      unknown.text,
      [...unknown.headers],
    ]);
    await ask(whoami, "whoami", { token: String(bait.key) });
    const told = async () =>
      (await events("key.honey_used")).filter(({ data }) => data["key_id"] === bait.id);
    await expect.poll(async () => (await told()).length).toBe(1);
  });
});
