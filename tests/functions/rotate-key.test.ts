import { afterAll, beforeAll, describe, expect, test } from "vitest";
import issueKey from "../../functions/issue-key/index.ts";
import listKeys from "../../functions/list-keys/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import rotateKey from "../../functions/rotate-key/index.ts";
import revokeKey from "../../functions/revoke-key/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { isWholeKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
const start = "2030-01-01T00:00:00.000Z";

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  for (const address of ["in@acme.example", "out@acme.example"]) {
    await ask(mailboxes, "mailboxes", { token: tenant.live, body: { address } });
  }
});
afterAll(() => api.close());

const rotate = (body: unknown, token = tenant.owner.access_token, headers = {}) =>
  ask(rotateKey, "rotate-key", { token, body, headers });
const inTest = { "x-mailpipe-environment": "test" };
const works = async (key: unknown) => (await ask(whoami, "whoami", { token: String(key) })).status === 200;
const after = (iso: string, seconds: number) => new Date(Date.parse(iso) + seconds * 1000).toISOString();
const listed = async (id: unknown) =>
  rows(await ask(listKeys, "list-keys?limit=100", { token: tenant.owner.access_token })).find((key) =>
    key.id === id
  );

const linesOf = (table: "audit" | "events", key: unknown) => {
  const sql = api.database.sql("postgres");
  return table === "audit"
    ? sql`select * from mailpipe.audit where action = 'key.rotated' and subject_id = ${String(key)}`
    : sql`select * from mailpipe.events where type = 'key.rotated' and data ->> 'key_id' = ${String(key)}`;
};

/** Issues a key with fences or limits. */
async function fenced(more: object, token = tenant.owner.access_token): Promise<Issued & Answer> {
  const body = { name: "fenced", environment: "live", scopes: ["mail:send", "keys:write"], ...more };
  const answer = await ask(issueKey, "issue-key", { token, body });
  return { ...answer, id: String(answer.body.id), key: String(answer.body.key) };
}

describe("rotate-key", () => {
  test("issues a successor with the same rights; both work, and then the old one stops by itself", async () => {
    await api.database.setClock(start);
    const old = await fenced({
      fences: { sending_domains: ["acme.example"] },
      limits: { per_minute: 50, per_day: 100 },
    });
    const answer = await rotate({ id: old.id, overlap_seconds: 3600 });
    expect(answer.status).toBe(201);
    const { id, key, last_four, created_at, ...rest } = answer.body;
    const { id: _, key: __, last_four: ___, created_at: ____, ...before } = old.body;
    expect(rest).toEqual({
      ...before,
      replaces: old.id,
      old_key_expires_at: after(start, 3600),
      descendants_ending: 0,
    });
    expect([isWholeKey(String(key)), String(key).slice(-4), created_at]).toEqual([true, last_four, start]);
    expect(id).not.toBe(old.id);
    expect([await works(old.key), await works(key)]).toEqual([true, true]);
    await api.database.advanceClock("59 minutes 59.999 seconds");
    expect([await works(old.key), await works(key)]).toEqual([true, true]);
    await api.database.advanceClock("1 millisecond");
    expect([await works(old.key), await works(key)]).toEqual([false, true]);
  });

  test("overlaps a day unless told, at once for 0, and never beyond the old key's own end", async () => {
    await api.database.setClock(start);
    const [one, two] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    expect((await rotate({ id: one.id })).body.old_key_expires_at).toBe(after(start, 86_400));
    const { body } = await rotate({ id: two.id, overlap_seconds: 0 });
    expect([await works(two.key), await works(body.key)]).toEqual([false, true]);
    const soon = await issue(tenant.owner.access_token, { expires_at: after(start, 60) });
    expect((await rotate({ id: soon.id })).body.old_key_expires_at).toBe(after(start, 60));
    await api.database.advanceClock("60 seconds");
    expect([await works(soon.key), await works(one.key)]).toEqual([false, true]);
  });

  test("overlaps 30 days at most", async () => {
    await api.database.setClock(start);
    const { id } = await issue(tenant.owner.access_token);
    const { status, body } = await rotate({ id, overlap_seconds: 2_592_000 });
    expect([status, body.old_key_expires_at]).toEqual([201, after(start, 2_592_000)]);
  });

  test("gives a successor as long again as the old one was given, and no longer than a key that rotates", async () => {
    await api.database.setClock(start);
    const day = await issue(tenant.owner.access_token, { expires_at: after(start, 86_400) });
    const own = await issue(tenant.owner.access_token, { expires_at: after(start, 86_400) });
    await api.database.advanceClock("12 hours");
    expect((await rotate({ id: day.id })).body.expires_at).toBe(after(start, 129_600));
    expect((await rotate({ id: own.id }, own.key)).body.expires_at).toBe(after(start, 86_400));
  });

  test("gives no successor an end that has no year", async () => {
    await api.database.setClock(start);
    const last = await issue(tenant.owner.access_token, { expires_at: "9999-12-31T23:59:59Z" });
    await api.database.advanceClock("1 day");
    expect((await rotate({ id: last.id })).body.expires_at).toBe("9999-12-31T23:59:59.999Z");
  });

  test("never gives a child a longer life than its issuer", async () => {
    await api.database.setClock(start);
    const issuer = await issue(tenant.owner.access_token, { expires_at: after(start, 86_400) });
    const child = await issue(issuer.key, { scopes: ["mail:read"] });
    await api.database.advanceClock("12 hours");
    expect((await rotate({ id: child.id })).body.expires_at).toBe(after(start, 86_400));
  });

  test("ends what the old key issued with it, however deep", async () => {
    await api.database.setClock(start);
    const old = await issue(tenant.owner.access_token);
    const child = await issue(old.key);
    const grandchild = await issue(child.key);
    const { body } = await rotate({ id: old.id, overlap_seconds: 60 });
    expect(body.descendants_ending).toBe(2);
    expect(await works(grandchild.key)).toBe(true);
    await api.database.advanceClock("60 seconds");
    expect([await works(child.key), await works(grandchild.key), await works(body.key)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test("ends with it what the old key obtained by rotating another", async () => {
    await api.database.setClock(start);
    const [old, target] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    const obtained = await rotate({ id: target.id }, old.key);
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 });
    expect(body.descendants_ending).toBe(1);
    expect(await works(obtained.body.key)).toBe(false);
  });

  test("ends what lives below a child that fell alone", async () => {
    await api.database.setClock(start);
    const old = await issue(tenant.owner.access_token);
    const child = await issue(old.key);
    const grandchild = await issue(child.key);
    const alone = { id: child.id, descendants: false };
    await ask(revokeKey, "revoke-key", { token: tenant.owner.access_token, body: alone });
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 });
    expect([await works(grandchild.key), body.descendants_ending]).toEqual([false, 1]);
  });

  test("leaves a child that ends sooner its own end, and counts no dead one", async () => {
    await api.database.setClock(start);
    const old = await issue(tenant.owner.access_token);
    const soon = await issue(old.key, { expires_at: after(start, 60) });
    const dead = await issue(old.key);
    await ask(revokeKey, "revoke-key", { token: tenant.owner.access_token, body: { id: dead.id } });
    expect((await rotate({ id: old.id, overlap_seconds: 3600 })).body.descendants_ending).toBe(1);
    expect(await listed(soon.id)).toMatchObject({ expires_at: after(start, 60) });
  });

  test("counts a key once that ends for two reasons", async () => {
    await api.database.setClock(start);
    const old = await issue(tenant.owner.access_token);
    const [rotator, target] = [await issue(old.key), await issue(old.key)];
    expect((await rotate({ id: target.id }, rotator.key)).status).toBe(201);
    expect((await rotate({ id: old.id })).body.descendants_ending).toBe(3);
  });

  test("does not end the successor that a key makes of itself", async () => {
    await api.database.setClock(start);
    const old = await issue(tenant.owner.access_token);
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 }, old.key);
    expect([await works(old.key), await works(body.key), body.descendants_ending]).toEqual([false, true, 0]);
    expect(await listed(body.id)).toMatchObject({ expires_at: null });
  });

  test("leaves alone what descends from nobody it ends, and what issued it", async () => {
    await api.database.setClock(start);
    const issuer = await issue(tenant.owner.access_token);
    const [old, sibling] = [await issue(issuer.key), await issue(issuer.key)];
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 });
    expect(body.descendants_ending).toBe(0);
    expect([await works(issuer.key), await works(sibling.key), await works(tenant.live)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("tells a key that rotates its issuer when the successor ends: with the key that obtained it", async () => {
    await api.database.setClock(start);
    const issuer = await issue(tenant.owner.access_token);
    const child = await issue(issuer.key);
    const { body } = await rotate({ id: issuer.id, overlap_seconds: 60 }, child.key);
    expect(body.expires_at).toBe((await listed(body.id))?.expires_at);
  });

  test("does not hand on that the old key was exposed", async () => {
    const { id } = await issue(tenant.owner.access_token);
    await api.database.sql("postgres")`
      update mailpipe.api_keys set exposed_at = mailpipe.clock() where id = ${id}
    `;
    expect(await listed(id)).toMatchObject({ rotation_due: true });
    const { body } = await rotate({ id });
    expect(await listed(id)).toMatchObject({ rotation_due: false });
    expect(await listed(body.id)).toMatchObject({ exposed_at: null, rotation_due: false });
  });

  test("ends what a key it obtained made of itself", async () => {
    await api.database.setClock(start);
    const [old, target] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    const obtained = await rotate({ id: target.id }, old.key);
    const laundered = await rotate({ id: obtained.body.id }, String(obtained.body.key));
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 });
    expect([await works(laundered.body.key), body.descendants_ending]).toEqual([false, 2]);
  });

  test("has one winner among ten at once, and is 409 key_rotated afterwards", async () => {
    const { id } = await issue(tenant.owner.access_token);
    const answers = await Promise.all(Array.from({ length: 10 }, () => rotate({ id })));
    expect(answers.map(({ status }) => status).sort()).toEqual([
      201,
      ...Array.from({ length: 9 }, () => 409),
    ]);
    expect(refusal(await rotate({ id }))).toEqual([409, "key_rotated"]);
  });

  test("of two keys that rotate each other at once, both get their turn", async () => {
    for (let round = 0; round < 10; round++) {
      const [one, two] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
      const both = await Promise.all([rotate({ id: two.id }, one.key), rotate({ id: one.id }, two.key)]);
      expect(both.map(({ status }) => status)).toEqual([201, 201]);
    }
  });

  test("is 409 key_not_live for a key that was revoked, has expired, or is honey", async () => {
    await api.database.setClock(start);
    const [revoked, expired] = [
      await issue(tenant.owner.access_token),
      await issue(tenant.owner.access_token, { expires_at: after(start, 1) }),
    ];
    const honey = await fenced({ honey: true });
    await ask(revokeKey, "revoke-key", { token: tenant.owner.access_token, body: { id: revoked.id } });
    await api.database.advanceClock("1 second");
    for (const { id } of [revoked, expired, honey]) {
      expect(refusal(await rotate({ id, overlap_seconds: 60 }))).toEqual([409, "key_not_live"]);
    }
  });

  test("is 404 for a key of another organization or environment; a session names the environment", async () => {
    const other = await foundTenant(api, "other");
    const { id } = await issue(tenant.owner.access_token, { environment: "test" });
    expect(refusal(await rotate({ id }, other.live))).toEqual([404, "not_found"]);
    expect(refusal(await rotate({ id }))).toEqual([404, "not_found"]);
    const answer = await rotate({ id }, tenant.owner.access_token, inTest);
    expect(answer.body.key).toMatch(/^mp_test_/);
    expect(await works(answer.body.key)).toBe(true);
    const ofLive = await issue(tenant.owner.access_token);
    expect(refusal(await rotate({ id: answer.body.id }, tenant.live))).toEqual([404, "not_found"]);
    expect(refusal(await rotate({ id: ofLive.id }, tenant.test))).toEqual([404, "not_found"]);
    expect(refusal(await rotate({ id: ofLive.id }, other.live))).toEqual([404, "not_found"]);
    expect(refusal(await rotate({ id: `key_${"0".repeat(26)}` }))).toEqual([404, "not_found"]);
  });

  test("is 403 for a role and for a key that may not write keys", async () => {
    const { id } = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
    const member = await addMember(api, tenant, "member");
    const reader = await issue(tenant.owner.access_token, { scopes: ["mail:read", "keys:read"] });
    for (const token of [member.access_token, reader.key]) {
      expect(refusal(await rotate({ id }, token))).toEqual([403, "scope_missing"]);
    }
  });

  test("leaves no trace of what it refused", async () => {
    const { id } = await issue(tenant.owner.access_token);
    const narrow = await issue(tenant.owner.access_token, { scopes: ["keys:write"] });
    const sql = api.database.sql("postgres");
    const traces = () =>
      sql`
      select
          (select count(*)::int from mailpipe.api_keys) as keys,
          (select count(*)::int from mailpipe.audit where action = 'key.rotated') as lines,
          (select count(*)::int from mailpipe.events where type = 'key.rotated') as events
    `;
    const before = await traces();
    expect((await rotate({ id, overlap_seconds: 0 }, narrow.key)).status).toBe(403);
    expect(await traces()).toEqual(before);
    expect(await listed(id)).toMatchObject({ expires_at: null, replaced_by: null });
  });

  test("shows in the list, in the audit log and as an event", async () => {
    const old = await issue(tenant.owner.access_token);
    const { body } = await rotate({ id: old.id });
    expect(await listed(old.id)).toMatchObject({ replaced_by: body.id, rotation_due: false });
    expect(await listed(body.id)).toMatchObject({ replaces: old.id, replaced_by: null });
    const { replaces, old_key_expires_at, descendants_ending } = body;
    const facts = { replaces, old_key_expires_at, descendants_ending };
    const { organization_id } = tenant;
    expect(await linesOf("audit", body.id)).toMatchObject([
      { organization_id, environment: "live", actor_id: tenant.owner.user_id, detail: facts },
    ]);
    expect(await linesOf("events", body.id)).toMatchObject([
      { organization_id, environment: "live", data: { ...facts, last_four: body.last_four } },
    ]);
  });

  test("names the key that rotated in the audit log", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    const { body } = await rotate({ id }, key);
    expect(await linesOf("audit", body.id)).toMatchObject([{ actor_kind: "key", actor_id: id }]);
  });

  test.each<[string, unknown, string]>([
    ["no id", { id: undefined }, "id"],
    ["an overlap below zero", { overlap_seconds: -1 }, "overlap_seconds"],
    ["an overlap beyond 30 days", { overlap_seconds: 2_592_001 }, "overlap_seconds"],
    ["an overlap of a second and a half", { overlap_seconds: 1.5 }, "overlap_seconds"],
    ["an overlap of null", { overlap_seconds: null }, "overlap_seconds"],
    ["an id of something else", { id: `org_${"0".repeat(26)}` }, "id"],
    ["a key as the id", { id: `mp_live_${"a".repeat(38)}` }, "id"],
    ["an overlap that is a text", { overlap_seconds: "60" }, "overlap_seconds"],
    ["scopes", { scopes: ["keys:write"] }, "scopes"],
    ["an organization", { organization_id: `org_${"0".repeat(26)}` }, "organization_id"],
    ["an environment", { environment: "test" }, "environment"],
    ["an issuer", { issued_by: `key_${"0".repeat(26)}` }, "issued_by"],
    ["a revocation", { revoked_at: null }, "revoked_at"],
    ["fences", { fences: {} }, "fences"],
    ["limits", { limits: { per_day: 1_000_000 } }, "limits"],
    ["an expiry", { expires_at: "2999-01-01T00:00:00Z" }, "expires_at"],
  ])("is 422 for %s", async (_, more, path) => {
    const body = { id: `key_${"0".repeat(26)}`, ...(more as object) };
    expect(refusal(await rotate(body))).toEqual([422, "invalid_request", path]);
  });
});

describe("a key that rotates another obtains no more than it has", () => {
  const wide = () => fenced({});

  test("and may rotate itself, and a key that is as narrow", async () => {
    const own = await fenced({ fences: { sending_domains: ["acme.example"] }, limits: { per_day: 9 } });
    expect((await rotate({ id: own.id }, own.key)).status).toBe(201);
    const issuer = await fenced({ fences: { sending_domains: ["acme.example"] } });
    const child = await fenced({ scopes: ["mail:send"] }, issuer.key);
    expect((await rotate({ id: child.id }, issuer.key)).status).toBe(201);
  });

  test("and an admin rotates what an admin may issue", async () => {
    const admin = await addMember(api, tenant, "admin");
    const owners = await issue(tenant.owner.access_token, { scopes: ["mail:send", "data:delete"] });
    const answer = await rotate({ id: owners.id }, admin.access_token);
    expect([...refusal(answer), String(answer.body.error).includes("data:delete")]).toEqual([
      403,
      "scope_missing",
      true,
    ]);
    const exports = await issue(tenant.owner.access_token, { scopes: ["mail:send", "data:export"] });
    expect((await rotate({ id: exports.id }, admin.access_token)).status).toBe(201);
  });

  test("is 403 scope_missing for more scopes", async () => {
    const narrow = await fenced({ scopes: ["keys:write"] });
    const { id } = await wide();
    expect(refusal(await rotate({ id }, narrow.key))).toEqual([403, "scope_missing"]);
  });

  test.each<[string, object]>([
    ["sending_domains", { fences: { sending_domains: ["acme.example"] } }],
    ["recipient_domains", { fences: { recipient_domains: ["acme.example"] } }],
    ["mailboxes", { fences: { mailboxes: ["in@acme.example"] } }],
    ["ip_ranges", { fences: { ip_ranges: ["192.0.2.0/24"] } }],
    ["limits", { limits: { per_minute: 100 } }],
  ])("is 403 fence_violated for a key without its %s", async (name, more) => {
    const narrow = await fenced(more);
    const { id, key } = await wide();
    const answer = await rotate({ id }, narrow.key, { "x-forwarded-for": "192.0.2.1" });
    expect(refusal(answer)).toEqual([403, "fence_violated"]);
    expect(answer.body.error).toContain(name);
    expect(await listed(id)).toMatchObject({ replaced_by: null });
    expect(await works(key)).toBe(true);
  });

  const inside = { "x-forwarded-for": "192.0.2.1" };
  const [has, wider, other] = [["acme.example"], ["acme.example", "x.example"], ["x.example"]];
  const range = { ip_ranges: ["192.0.2.0/24"] };
  test.each<[string, object, object]>([
    ["sending_domains that are more", { sending_domains: has }, { sending_domains: wider }],
    ["sending_domains that are others", { sending_domains: has }, { sending_domains: other }],
    ["recipient_domains that are more", { recipient_domains: has }, { recipient_domains: wider }],
    ["recipient_domains that are others", { recipient_domains: has }, { recipient_domains: other }],
    ["mailboxes that are more", { mailboxes: ["in@acme.example"] }, {
      mailboxes: ["in@acme.example", "out@acme.example"],
    }],
    ["mailboxes that are others", { mailboxes: ["in@acme.example"] }, { mailboxes: ["out@acme.example"] }],
    ["ip_ranges that are more", range, { ip_ranges: ["192.0.2.0/25", "198.51.100.0/24"] }],
    ["an ip_range around its own", range, { ip_ranges: ["192.0.2.0/23"] }],
    ["an ip_range of the other family", range, { ip_ranges: ["2001:db8::/32"] }],
    ["every fence but one of two", { ...range, sending_domains: has }, range],
  ])("is 403 fence_violated for %s", async (_, fences, theirs) => {
    const [narrow, target] = [await fenced({ fences }), await fenced({ fences: theirs })];
    expect([narrow.status, target.status]).toEqual([201, 201]);
    expect(refusal(await rotate({ id: target.id }, narrow.key, inside))).toEqual([403, "fence_violated"]);
    expect(await listed(target.id)).toMatchObject({ replaced_by: null });
  });

  test.each<[string, object, object]>([
    ["some of its sending_domains", { sending_domains: wider }, { sending_domains: has }],
    ["some of its recipient_domains", { recipient_domains: wider }, { recipient_domains: has }],
    ["the same mailboxes", { mailboxes: ["in@acme.example"] }, { mailboxes: ["in@acme.example"] }],
    ["a range in its range", range, { ip_ranges: ["192.0.2.128/25"] }],
    ["fences where it has none", {}, { ...range, sending_domains: has }],
  ])("and may rotate a key with %s", async (_, fences, theirs) => {
    const [wide, target] = [await fenced({ fences }), await fenced({ fences: theirs })];
    const answer = await rotate({ id: target.id }, wide.key, inside);
    expect([answer.status, answer.body.fences]).toEqual([201, target.body.fences]);
  });

  test("is 403 fence_violated for limits that count in windows of their own, however low", async () => {
    const narrow = await fenced({ limits: { per_day: 100 } });
    const lower = await fenced({ limits: { per_day: 1 } });
    expect(refusal(await rotate({ id: lower.id }, narrow.key))).toEqual([403, "fence_violated"]);
    const child = await fenced({ limits: { per_day: 1 } }, narrow.key);
    expect((await rotate({ id: child.id }, narrow.key)).status).toBe(201);
  });

  test("nor has a child's successor more of its issuer's windows", async () => {
    await api.database.setClock(start);
    const issuer = await fenced({ limits: { per_day: 3 } });
    const child = await fenced({}, issuer.key);
    const successor = String((await rotate({ id: child.id })).body.key);
    const own = await rotate({ id: issuer.id });
    expect([await works(successor), await works(own.body.key)]).toEqual([true, true]);
    for (const token of [child.key, successor, issuer.key, String(own.body.key)]) {
      expect(refusal(await ask(whoami, "whoami", { token }))).toEqual([429, "rate_limited"]);
    }
  });

  test("goes on in the windows of the key it replaces", async () => {
    await api.database.setClock(start);
    const old = await fenced({ limits: { per_day: 3 } });
    const first = await rotate({ id: old.id }, old.key);
    const second = await rotate({ id: first.body.id }, String(first.body.key));
    const token = String(second.body.key);
    expect((await ask(whoami, "whoami", { token })).headers.get("x-ratelimit-remaining")).toBe("0");
    for (const key of [old.key, String(first.body.key), token]) {
      expect(refusal(await ask(whoami, "whoami", { token: key }))).toEqual([429, "rate_limited"]);
    }
  });
});
