import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import revokeKey from "../../functions/revoke-key/index.ts";
import rotateKey from "../../functions/rotate-key/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let founded = 0;
const start = "2030-01-01T00:00:00.000Z";

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());

const revoke = (body: unknown, token = tenant.owner.access_token, headers = {}) =>
  ask(revokeKey, "revoke-key", { token, body, headers });
const works = async ({ key }: { key: string }) =>
  (await ask(whoami, "whoami", { token: key })).status === 200;
const fresh = async () => tenant = await foundTenant(api, `fresh${++founded}`);
const by = (scopes: ("keys:write" | "mail:read" | "mail:send")[], token = tenant.owner.access_token) =>
  issue(token, { scopes });
const idsOf = (answer: Answer) => rows(answer).map(({ id }) => id).sort();
const sorted = (...keys: Issued[]) => keys.map(({ id }) => id).sort();
const dry = async (filter: object, token?: string, headers?: object) =>
  idsOf(await revoke({ filter, dry_run: true }, token, headers));

/** The successor of a key, which `token` obtains; the old one stops at once. */
async function rotate({ id }: Issued, token: string): Promise<Issued> {
  const answer = await ask(rotateKey, "rotate-key", { token, body: { id, overlap_seconds: 0 } });
  return { id: String(answer.body.id), key: String(answer.body.key) };
}

/** What tells of revocations, in both places. */
const told = () =>
  api.database.sql("postgres")`
    select
        (select count(*)::int from mailpipe.audit where action = 'key.revoked') as lines,
        (select count(*)::int from mailpipe.events where type = 'key.revoked') as events
  `;

/** A key, the key it issued, and the one that issued. */
async function family(): Promise<[Issued, Issued, Issued]> {
  const first = await issue(tenant.owner.access_token);
  const second = await issue(first.key);
  return [first, second, await issue(second.key)];
}

describe("revoke-key", () => {
  test("is refused at the very next call, with the key's answer as for any other unknown one", async () => {
    const key = await issue(tenant.owner.access_token);
    expect(await works(key)).toBe(true);
    expect((await revoke({ id: key.id })).status).toBe(200);
    expect(refusal(await ask(whoami, "whoami", { token: key.key }))).toEqual([401, "invalid_credential"]);
  });

  test("takes along every key the key issued, and theirs", async () => {
    const [first, second, third] = await family();
    const bystander = await issue(tenant.owner.access_token);
    await revoke({ id: first.id });
    expect([await works(first), await works(second), await works(third)]).toEqual([false, false, false]);
    expect(await works(bystander)).toBe(true);
  });

  test("leaves the issuer alone when a child falls, and the children when told to", async () => {
    const [first, second, third] = await family();
    await revoke({ id: second.id, descendants: false });
    expect([await works(first), await works(second), await works(third)]).toEqual([true, false, true]);
    await revoke({ id: first.id });
    expect(await works(third)).toBe(false);
  });

  test("gives the first time again when repeated", async () => {
    const { id } = await issue(tenant.owner.access_token);
    const first = await revoke({ id });
    expect((await revoke({ id })).body).toEqual(first.body);
  });

  test("lets a key revoke itself", async () => {
    const key = await issue(tenant.owner.access_token);
    expect((await revoke({ id: key.id }, key.key)).status).toBe(200);
    expect(await works(key)).toBe(false);
  });

  test("is 404 for a key of another organization or environment, which goes on working", async () => {
    const other = await foundTenant(api, "other");
    const theirs = await issue(other.owner.access_token);
    const ofTest = await issue(tenant.owner.access_token, { environment: "test" });
    expect(refusal(await revoke({ id: theirs.id }))).toEqual([404, "not_found"]);
    expect(refusal(await revoke({ id: ofTest.id }, tenant.live))).toEqual([404, "not_found"]);
    expect([await works(theirs), await works(ofTest)]).toEqual([true, true]);
  });

  test("writes each key that fell into the audit log, once", async () => {
    const [first, second, third] = await family();
    await revoke({ id: first.id });
    await revoke({ id: first.id });
    const lines = await api.database.sql("postgres")<{ subject_id: string; actor_id: string }[]>`
      select subject_id, actor_id from mailpipe.audit where action = 'key.revoked'
    `;
    const ours = [first.id, second.id, third.id];
    expect(lines.filter(({ subject_id }) => ours.includes(subject_id)).map(({ actor_id }) => actor_id))
      .toEqual([
        tenant.owner.user_id,
        tenant.owner.user_id,
        tenant.owner.user_id,
      ]);
  });

  test("is 403 for a role and for a key that may not write keys, by id and by filter", async () => {
    const key = await issue(tenant.owner.access_token);
    const reader = await issue(tenant.owner.access_token, { scopes: ["keys:read", "mail:read"] });
    const member = await addMember(api, tenant, "member");
    for (const body of [{ id: key.id }, { filter: { scope: "mail:read" } }]) {
      for (const token of [reader.key, member.access_token]) {
        expect(refusal(await revoke(body, token))).toEqual([403, "scope_missing"]);
      }
    }
    expect(await works(key)).toBe(true);
  });

  test.each([
    ["no id", { id: undefined }, "id"],
    ["an id of something else", { id: `msg_${"0".repeat(26)}` }, "id"],
    ["an id with a letter ids do not have", { id: `key_${"U".repeat(26)}` }, "id"],
    ["an id that is a key", { id: `mp_live_${"a".repeat(38)}` }, "id"],
    ["an id with a line break", { id: `key_${"0".repeat(26)}\n` }, "id"],
    ["descendants as a text", { id: `key_${"0".repeat(26)}`, descendants: "no" }, "descendants"],
  ])("is 422 for %s", async (_, body, path) => {
    expect(refusal(await revoke(body))).toEqual([422, "invalid_request", path]);
  });
});

describe("a filter", () => {
  test("takes issued_before without its instant, and issued_after with it", async () => {
    await fresh();
    await api.database.setClock(start);
    const key = await by(["mail:read"]);
    const within = (filter: object) =>
      dry({ ...filter, scope: "mail:read", created_by: tenant.owner.user_id });
    expect(await within({ issued_before: start })).not.toContain(key.id);
    expect(await within({ issued_before: "2030-01-01T00:00:00.001Z" })).toContain(key.id);
    expect(await within({ issued_after: start })).toEqual([key.id]);
    expect(await within({ issued_after: "2030-01-01T00:00:00.001Z" })).toEqual([]);
  });

  test("finds what a user or a key rotated by id of either", async () => {
    await fresh();
    const rotator = await by(["keys:write", "mail:read"]);
    const mine = await rotate(await by(["mail:read"]), tenant.owner.access_token);
    const obtained = await rotate(await by(["mail:read"]), rotator.key);
    const admin = await addMember(api, tenant, "admin");
    const taken = await rotate(mine, admin.access_token);
    expect(await dry({ created_by: rotator.id })).toEqual([obtained.id]);
    expect(await dry({ created_by: admin.user_id })).toEqual([taken.id]);
  });

  test("finds what a key issued, which falls without its issuer and takes along its own", async () => {
    await fresh();
    const [first, second, third] = await family();
    expect(idsOf(await revoke({ filter: { created_by: first.id } }))).toEqual(sorted(second, third));
    expect([await works(first), await works(second), await works(third)]).toEqual([true, false, false]);
  });

  test("leaves the children of what it finds when told to", async () => {
    await fresh();
    const [first, second, third] = await family();
    const body = { filter: { created_by: first.id }, descendants: false };
    expect(idsOf(await revoke({ ...body, dry_run: true }))).toEqual([second.id]);
    expect(idsOf(await revoke(body))).toEqual([second.id]);
    expect([await works(second), await works(third)]).toEqual([false, true]);
  });

  test("reaches the environment a session names, in the filter or in the header, and live otherwise", async () => {
    await fresh();
    const [live, test] = [
      await by(["mail:read"]),
      await issue(tenant.owner.access_token, { environment: "test" }),
    ];
    const filter = { never_used: true };
    const picked = { "x-mailpipe-environment": "test" };
    const token = tenant.owner.access_token;
    expect(await dry(filter)).toContain(live.id);
    expect(await dry(filter)).not.toContain(test.id);
    expect(await dry(filter, token, picked)).toEqual(await dry({ ...filter, environment: "test" }));
    expect(await dry({ environment: "test" })).toContain(test.id);
    expect(await dry({ environment: "live" })).not.toContain(test.id);
    const crossed = { filter: { environment: "live" } };
    expect(refusal(await revoke(crossed, token, picked))).toEqual([403, "environment_mismatch"]);
    expect(refusal(await revoke(crossed, tenant.test))).toEqual([403, "environment_mismatch"]);
    expect([await works(live), await works(test)]).toEqual([true, true]);
  });

  test("tells never_used apart from used, also once the counters were flushed", async () => {
    await fresh();
    const [used, unused] = [await by(["mail:read"]), await by(["mail:read"])];
    await works(used);
    const found = async () => [
      await dry({ scope: "mail:read", never_used: false }),
      await dry({ scope: "mail:read", never_used: true, issued_after: "2000-01-01T00:00:00Z" }),
    ];
    const before = await found();
    expect(before).toEqual([expect.arrayContaining([used.id]), expect.arrayContaining([unused.id])]);
    expect([before[0], before[1]]).not.toEqual([expect.arrayContaining([unused.id]), expect.anything()]);
    expect(before[1]).not.toContain(used.id);
    await api.database.sql("postgres")`select mailpipe.flush_usage()`;
    expect(await found()).toEqual(before);
  });

  test("takes any part of the range a key was used from, and the one it was used from last", async () => {
    await fresh();
    const [near, beside, unused] = [
      await by(["mail:read"]),
      await by(["mail:read"]),
      await by(["mail:read"]),
    ];
    const from = ({ key }: Issued, address: string) =>
      ask(whoami, "whoami", { token: key, headers: { "x-forwarded-for": address } });
    await api.database.setClock(start);
    await from(near, "203.0.113.9");
    await api.database.advanceClock("1 second");
    await from(near, "198.51.100.77");
    await from(beside, "198.51.101.77");
    expect(await dry({ ip_range: "198.51.100.200" })).toEqual([near.id]);
    expect(await dry({ ip_range: "198.51.100.0/23" })).toEqual(sorted(near, beside));
    expect(await dry({ ip_range: "203.0.113.0/24" })).toEqual([]);
    expect(await dry({ ip_range: "198.51.100.0/23", never_used: true })).toEqual([]);
    expect([await works(near), await works(unused)]).toEqual([true, true]);
  });

  test("changes, cancels and tells nothing in a dry run", async () => {
    await fresh();
    const key = await issue(tenant.owner.access_token, { environment: "test" });
    const message = await send(key.key);
    const before = await told();
    const body = { filter: { created_by: tenant.owner.user_id, environment: "test" }, cancel_queued: true };
    const shown = await revoke({ ...body, dry_run: true });
    expect(rows(shown).map(({ revoked_at }) => revoked_at)).toEqual([null, null]);
    expect([await statusOf(message), await works(key)]).toEqual(["queued", true]);
    expect(await told()).toEqual(before);
    expect(idsOf(await revoke(body))).toEqual(idsOf(shown));
    expect([await statusOf(message), await works(key)]).toEqual(["cancelled", false]);
  });

  test("fells what its dry run listed, where it names a key and one further up", async () => {
    await fresh();
    await api.database.setClock(start);
    const [obtainer, target] = [await by(["keys:write"]), await by(["keys:write"])];
    const obtained = await rotate(target, obtainer.key);
    await api.database.advanceClock("1 second");
    const laundered = await rotate(obtained, obtained.key);
    const filter = { issued_after: start, issued_before: "2030-01-01T00:00:01Z" };
    const shown = await dry(filter);
    expect(shown).toContain(laundered.id);
    expect(idsOf(await revoke({ filter }))).toEqual(shown);
    expect(await works(laundered)).toBe(false);
  });

  test("neither lists nor fells the successor that a key it finds made of itself", async () => {
    await fresh();
    await api.database.setClock(start);
    const old = await by(["keys:write"]);
    await api.database.advanceClock("1 second");
    const successor = await rotate(old, old.key);
    const filter = { issued_after: start, issued_before: "2030-01-01T00:00:01Z" };
    expect(await dry(filter)).toContain(old.id);
    expect(await dry(filter)).not.toContain(successor.id);
    await revoke({ filter });
    expect(await works(successor)).toBe(true);
  });

  test("lists no key that fell before", async () => {
    await fresh();
    const key = await by(["mail:read"]);
    await revoke({ id: key.id });
    expect(await dry({ scope: "mail:read" })).not.toContain(key.id);
    expect(idsOf(await revoke({ filter: { scope: "mail:read" } }))).not.toContain(key.id);
  });

  test("leaves a line and an event for each key that fell, once", async () => {
    await fresh();
    const [first, second] = await family();
    const filter = { created_by: first.id };
    const [before] = await told();
    await revoke({ filter });
    await revoke({ filter });
    const [after] = await told();
    expect([after?.["lines"] - before?.["lines"], after?.["events"] - before?.["events"]]).toEqual([2, 2]);
    const [event] = await api.database.sql("postgres")`
      select environment, data ->> 'revoked_by' as revoked_by from mailpipe.events
      where type = 'key.revoked' and data ->> 'key_id' = ${second.id}
    `;
    expect(event).toEqual({ environment: "live", revoked_by: tenant.owner.user_id });
  });

  test("spares its caller and the caller's issuers and no others", async () => {
    await fresh();
    const [top, middle, caller] = await family();
    const beside = await by(["mail:send"], top.key);
    const filter = { scope: "mail:send" };
    const shown = await dry(filter, caller.key);
    expect(shown).toContain(beside.id);
    for (const { id } of [top, middle, caller]) expect(shown).not.toContain(id);
    expect(idsOf(await revoke({ filter, dry_run: true, include_self: true }, caller.key))).toEqual(
      expect.arrayContaining(sorted(top, middle, caller, beside)),
    );
    await revoke({ filter }, caller.key);
    expect([await works(top), await works(middle), await works(caller), await works(beside)]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });

  test("spares the key by whose rotation its caller came to be", async () => {
    await fresh();
    const rotator = await by(["keys:write"]);
    const caller = await rotate(await by(["keys:write"]), rotator.key);
    await revoke({ filter: { scope: "keys:write" } }, caller.key);
    expect([await works(rotator), await works(caller)]).toEqual([true, true]);
  });

  test("neither lists nor touches a key of another organization", async () => {
    await fresh();
    const stranger = await foundTenant(api, `stranger${founded}`);
    const theirs = await issue(stranger.owner.access_token);
    const mine = await issue(tenant.owner.access_token);
    for (const created_by of [theirs.id, stranger.owner.user_id]) {
      expect(rows(await revoke({ filter: { created_by }, include_self: true }))).toEqual([]);
    }
    const fell = await revoke({ filter: { environment: "live" }, include_self: true });
    expect(idsOf(fell)).toContain(mine.id);
    expect(idsOf(fell)).not.toContain(theirs.id);
    expect(await works(theirs)).toBe(true);
  });

  test.each<[string, object, string]>([
    ["an empty filter", { filter: {} }, "filter"],
    ["a filter of null", { filter: null }, "filter"],
    ["a filter that is a list", { filter: [] }, "filter"],
    ["a condition there is not", { filter: { scope: "mail:read", revoked: false } }, "filter.revoked"],
    ["an organization", { filter: { scope: "mail:read", organization_id: "x" } }, "filter.organization_id"],
    ["a filter and an id", { filter: { scope: "mail:read" }, id: `key_${"0".repeat(26)}` }, "id"],
    ["every IPv6 address", { filter: { ip_range: "::/0" } }, "filter.ip_range"],
    ["a range with host bits beyond its own", { filter: { ip_range: "198.51.100.0/33" } }, "filter.ip_range"],
    [
      "a time without an offset",
      { filter: { issued_before: "2030-01-01T00:00:00" } },
      "filter.issued_before",
    ],
    ["an environment there is not", { filter: { environment: "prod" } }, "filter.environment"],
    ["never_used as a text", { filter: { never_used: "true" } }, "filter.never_used"],
    ["include_self as a text", { filter: { scope: "mail:read" }, include_self: "yes" }, "include_self"],
    ["cancel_queued as a number", { filter: { scope: "mail:read" }, cancel_queued: 1 }, "cancel_queued"],
  ])("is 422 for %s", async (_, body, path) => {
    expect(refusal(await revoke(body))).toEqual([422, "invalid_request", path]);
  });

  test("is 422 where more than two thousand keys would fall, and none does", async () => {
    await fresh();
    await api.database.sql("postgres")`
      insert into mailpipe.api_keys (id, organization_id, environment, name, hash, last_four, scopes, window_id)
      select made.id, ${tenant.organization_id}, 'live', 'bulk', sha256(made.id::bytea), 'bulk', '{usage:read}', made.id
      from (select mailpipe.new_id('key') as id from generate_series(1, 2001)) as made
    `;
    await api.database.sql("postgres")`analyze mailpipe.api_keys`;
    const filter = { scope: "usage:read" };
    expect(refusal(await revoke({ filter }))).toEqual([422, "invalid_request", "filter"]);
    expect(refusal(await revoke({ filter, dry_run: true }))).toEqual([422, "invalid_request", "filter"]);
    expect(await works({ key: tenant.live })).toBe(true);
  });
});

describe("a key that another obtained by rotation", () => {
  test("falls with the one that rotated, which a session's rotation has not", async () => {
    await fresh();
    const rotator = await by(["keys:write", "mail:read"]);
    const obtained = await rotate(await by(["mail:read"]), rotator.key);
    const owners = await rotate(await by(["mail:read"]), tenant.owner.access_token);
    await revoke({ id: rotator.id });
    expect([await works(obtained), await works(owners)]).toEqual([false, true]);
  });

  test("does not fall with the key it replaces", async () => {
    await fresh();
    const [old, own] = [await by(["keys:write"]), await by(["keys:write"])];
    const [successor, itself] = [await rotate(old, tenant.owner.access_token), await rotate(own, own.key)];
    await revoke({ id: old.id });
    await revoke({ id: own.id });
    expect([await works(successor), await works(itself)]).toEqual([true, true]);
  });

  test("falls with the issuer of the key it replaces", async () => {
    await fresh();
    const issuer = await by(["keys:write", "mail:read"]);
    const successor = await rotate(await by(["mail:read"], issuer.key), tenant.owner.access_token);
    await revoke({ id: issuer.id });
    expect(await works(successor)).toBe(false);
  });
});

describe("the last way in", () => {
  const alter = (statement: string) =>
    api.database.sql("supabase_admin").unsafe(statement, [tenant.owner.user_id]);
  const account = (change: string) => `update auth.users set ${change} where id = $1`;
  /** An organization whose live key is its last way in: none of the others it has is one. */
  const lonely = async () => {
    await fresh();
    await by(["mail:read"]);
    const ended = await by(["keys:write"]);
    await revoke({ id: ended.id });
    const body = { name: "planted", environment: "live", scopes: ["keys:write"], honey: true };
    await ask(issueKey, "issue-key", { token: tenant.owner.access_token, body });
    await addMember(api, tenant, "member");
  };

  test.each<[string, string]>([
    ["is banned", account("banned_until = 'infinity'")],
    ["is deleted", account("deleted_at = now()")],
    ["is anonymous", account("is_anonymous = true")],
    ["is no member any more", "delete from mailpipe.members where user_id = $1"],
    ["is a plain member", "update mailpipe.members set role = 'member' where user_id = $1"],
  ])("is not closed by accident where the owner %s", async (_, statement) => {
    await lonely();
    await alter(statement);
    const self = await ask(whoami, "whoami", { token: tenant.live });
    const { id } = self.body as { id: string };
    expect(refusal(await revoke({ id }, tenant.live))).toEqual([409, "last_way_in"]);
    expect(await works({ key: tenant.live })).toBe(true);
    expect((await revoke({ id, include_self: true }, tenant.live)).status).toBe(200);
    expect(await works({ key: tenant.live })).toBe(false);
  });

  test.each<[string, string]>([
    ["her ban is over", account("banned_until = '2001-01-01'")],
    ["she is an admin", "update mailpipe.members set role = 'admin' where user_id = $1"],
  ])("is left where %s", async (_, statement) => {
    await lonely();
    await alter(statement);
    const { body } = await ask(whoami, "whoami", { token: tenant.live });
    expect((await revoke({ id: body.id }, tenant.live)).status).toBe(200);
  });

  test("is another key that lives and writes keys, until that would fall too", async () => {
    await lonely();
    const [child, other] = [await by(["keys:write"], tenant.live), await by(["keys:write"])];
    await alter(account("banned_until = 'infinity'"));
    const { body } = await ask(whoami, "whoami", { token: tenant.live });
    expect((await revoke({ id: other.id }, tenant.live)).status).toBe(200);
    expect(refusal(await revoke({ id: body.id }, child.key))).toEqual([409, "last_way_in"]);
    expect((await revoke({ id: body.id, descendants: false }, child.key)).status).toBe(200);
    expect(await works(child)).toBe(true);
  });

  test("is spared by a filter, and falls to one only with include_self", async () => {
    await lonely();
    const child = await by(["keys:write"], tenant.live);
    await alter(account("banned_until = 'infinity'"));
    const body = { filter: { scope: "keys:write" } };
    await revoke(body, child.key);
    expect([await works(child), await works({ key: tenant.live })]).toEqual([true, true]);
    expect(idsOf(await revoke({ ...body, include_self: true }, child.key))).toContain(child.id);
    expect([await works(child), await works({ key: tenant.live })]).toEqual([false, false]);
  });
});

const mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };

async function send(token: string): Promise<string> {
  const answer = await ask(sendMail, "send-mail", { token, body: mail });
  expect(answer.status).toBe(202);
  return String(answer.body.id);
}

async function statusOf(message: string): Promise<unknown> {
  const [row] = await api.database.sql(
    "postgres",
  )`select status from mailpipe.messages where id = ${message}`;
  return row?.["status"];
}

describe("cancel_queued", () => {
  /** What a worker gets to send, of all that is due or of one message. */
  async function claim(message: string | null = null): Promise<string[]> {
    const sql = api.database.sql("service_role");
    const [row] = await sql<{ work: { message: { id: string } }[] }[]>`
      select mailpipe_api.claim_messages(${sql.json({ project_secret: true })}, 1000, ${message}) as work
    `;
    return (row?.work ?? []).map((job) => job.message.id);
  }
  const events = (message: string) =>
    api.database.sql("postgres")`
      select environment, data ->> 'reason' as reason from mailpipe.events
      where message_id = ${message} and type = 'email.cancelled'
    `;
  const ofTest = (token = tenant.owner.access_token) => issue(token, { environment: "test" });
  const fell = (id: string, more = {}) => revoke({ id, cancel_queued: true, ...more }, tenant.test);

  async function giveProvider(): Promise<void> {
    const sql = api.database.sql("service_role");
    const { user_id, session_id } = tenant.owner;
    const provider = {
      kind: "smtp",
      name: "ours",
      credentials: { host: "smtp.example", password: "password-of-a-stand-in" },
      inbound_token_hash: "0".repeat(63) + String(founded % 10),
      inbound_secret: newWebhookSecret(),
    };
    await sql`select mailpipe_api.create_provider(${sql.json({ user_id, session_id })}, ${
      sql.json(provider)
    })`;
  }

  test("stops live mail, tells why, and leaves that of other keys and of sessions", async () => {
    await fresh();
    await giveProvider();
    const [key, unstopped] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    const kept = await send(unstopped.key);
    await revoke({ id: unstopped.id });
    expect(await statusOf(kept)).toBe("queued");
    const [stopped, other] = [await send(key.key), await send(tenant.live)];
    const session = await send(tenant.owner.access_token);
    await revoke({ id: key.id, cancel_queued: true });
    expect([await statusOf(stopped), await statusOf(other), await statusOf(session)]).toEqual([
      "cancelled",
      "queued",
      "queued",
    ]);
    expect(await events(stopped)).toEqual([{ environment: "live", reason: "Its API key was revoked." }]);
    expect([await events(other), await events(session)]).toEqual([[], []]);
    const due = await claim();
    expect(due).toEqual(expect.arrayContaining([other, session]));
    expect(due).not.toContain(stopped);
  });

  test("stops the mail of the keys that fell along, and not of those that were left", async () => {
    await fresh();
    const [key, bystander] = [await ofTest(), await ofTest()];
    const [child, left] = [await ofTest(key.key), await ofTest(bystander.key)];
    const [fromChild, fromLeft] = [await send(child.key), await send(left.key)];
    await fell(key.id);
    await fell(bystander.id, { descendants: false });
    expect([await statusOf(fromChild), await statusOf(fromLeft)]).toEqual(["cancelled", "queued"]);
  });

  test("asked for afterwards stops the mail of a key that fell before", async () => {
    await fresh();
    const key = await ofTest();
    const message = await send(key.key);
    await revoke({ id: key.id }, tenant.test);
    expect(await statusOf(message)).toBe("queued");
    await fell(key.id);
    expect(await statusOf(message)).toBe("cancelled");
  });

  test("asked for afterwards stops the mail of those that fell along before", async () => {
    await fresh();
    const key = await ofTest();
    const message = await send((await ofTest(key.key)).key);
    await revoke({ id: key.id }, tenant.test);
    await fell(key.id);
    expect(await statusOf(message)).toBe("cancelled");
  });

  test("stops no mail of a key that a filter spares", async () => {
    await fresh();
    const [caller, other] = [await ofTest(), await ofTest()];
    const [mine, theirs] = [await send(caller.key), await send(other.key)];
    await revoke({ filter: { scope: "mail:send" }, cancel_queued: true }, caller.key);
    expect([await statusOf(mine), await statusOf(theirs)]).toEqual(["queued", "cancelled"]);
  });

  test("takes nothing from a worker that holds it, nor from one that never came back", async () => {
    await fresh();
    await api.database.setClock(start);
    const key = await ofTest();
    const held = await send(key.key);
    expect(await claim(held)).toEqual([held]);
    const jobs = () => api.database.sql("postgres")`select id from mailpipe.jobs where subject_id = ${held}`;
    for (const wait of ["0 seconds", "1 hour"]) {
      await api.database.advanceClock(wait);
      await fell(key.id);
      expect([await statusOf(held), await events(held), (await jobs()).length]).toEqual(["sending", [], 1]);
    }
  });

  test("has workers cancel what was left over when they come to it, and send the rest", async () => {
    await fresh();
    const key = await ofTest();
    const [left, other] = [await send(key.key), await send(tenant.test)];
    await api.database.sql("postgres")`
      update mailpipe.api_keys set revoked_at = mailpipe.clock(), queue_cancelled = true where id = ${key.id}
    `;
    const due = await claim();
    expect(due).toContain(other);
    expect(due).not.toContain(left);
    expect([await statusOf(left), await statusOf(other)]).toEqual(["cancelled", "sending"]);
    expect(await events(left)).toHaveLength(1);
    expect(await claim(left)).toEqual([]);
  });
});
