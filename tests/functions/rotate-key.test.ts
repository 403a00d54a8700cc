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
  await ask(mailboxes, "mailboxes", { token: tenant.live, body: { address: "in@acme.example" } });
});
afterAll(() => api.close());

const rotate = (body: unknown, token = tenant.owner.access_token, headers = {}) =>
  ask(rotateKey, "rotate-key", { token, body, headers });
const works = async (key: unknown) => (await ask(whoami, "whoami", { token: String(key) })).status === 200;
const after = (iso: string, seconds: number) => new Date(Date.parse(iso) + seconds * 1000).toISOString();
const listed = async (id: unknown) =>
  rows(await ask(listKeys, "list-keys?limit=100", { token: tenant.owner.access_token })).find((key) =>
    key.id === id
  );

/** Issues a key with fences or limits. */
async function fenced(more: object, token = tenant.owner.access_token): Promise<Issued & Answer> {
  const body = { name: "fenced", environment: "live", scopes: ["mail:send", "keys:write"], ...more };
  const answer = await ask(issueKey, "issue-key", { token, body });
  return { ...answer, id: String(answer.body.id), key: String(answer.body.key) };
}

describe("rotate-key", () => {
  test("issues a successor with the same rights; both work, and then the old one stops by itself", async () => {
    await api.database.setClock(start);
    const old = await fenced({ fences: { sending_domains: ["acme.example"] }, limits: { per_day: 100 } });
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

  test("ends what lives below a child that fell alone", async () => {
    await api.database.setClock(start);
    const old = await issue(tenant.owner.access_token);
    const child = await issue(old.key);
    const grandchild = await issue(child.key);
    await ask(revokeKey, "revoke-key", {
      token: tenant.owner.access_token,
      body: { id: child.id, descendants: false },
    });
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 });
    expect([body.descendants_ending, await works(grandchild.key)]).toEqual([1, false]);
  });

  test("ends with it what the old key obtained by rotating another", async () => {
    await api.database.setClock(start);
    const [old, target] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    const obtained = await rotate({ id: target.id }, old.key);
    const { body } = await rotate({ id: old.id, overlap_seconds: 0 });
    expect(body.descendants_ending).toBe(1);
    expect(await works(obtained.body.key)).toBe(false);
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
    const answer = await rotate({ id }, tenant.owner.access_token, { "x-mailpipe-environment": "test" });
    expect(answer.body.key).toMatch(/^mp_test_/);
  });

  test("shows in the list, in the audit log and as an event", async () => {
    const old = await issue(tenant.owner.access_token);
    const { body } = await rotate({ id: old.id });
    expect(await listed(old.id)).toMatchObject({ replaced_by: body.id, rotation_due: false });
    expect(await listed(body.id)).toMatchObject({ replaces: old.id, replaced_by: null });
    const [line] = await api.database.sql("postgres")`
      select actor_id, detail ->> 'replaces' as replaces from mailpipe.audit
      where action = 'key.rotated' and subject_id = ${String(body.id)}
    `;
    expect(line).toEqual({ actor_id: tenant.owner.user_id, replaces: old.id });
    const [event] = await api.database.sql("postgres")`
      select data ->> 'replaces' as replaces from mailpipe.events
      where type = 'key.rotated' and data ->> 'key_id' = ${String(body.id)}
    `;
    expect(event).toEqual({ replaces: old.id });
  });

  test.each<[string, unknown, string]>([
    ["no id", { id: undefined }, "id"],
    ["an overlap below zero", { overlap_seconds: -1 }, "overlap_seconds"],
    ["an overlap beyond 30 days", { overlap_seconds: 2_592_001 }, "overlap_seconds"],
    ["an overlap of half a second", { overlap_seconds: 0.5 }, "overlap_seconds"],
    ["an overlap that is a text", { overlap_seconds: "60" }, "overlap_seconds"],
    ["scopes", { scopes: ["keys:write"] }, "scopes"],
    ["an organization", { organization_id: `org_${"0".repeat(26)}` }, "organization_id"],
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

  test("is 403 scope_missing for more scopes", async () => {
    const narrow = await fenced({ scopes: ["keys:write"] });
    const { id } = await wide();
    expect(refusal(await rotate({ id }, narrow.key))).toEqual([403, "scope_missing"]);
    const admin = await addMember(api, tenant, "admin");
    const owners = await issue(tenant.owner.access_token);
    expect(refusal(await rotate({ id: owners.id }, admin.access_token))).toEqual([403, "scope_missing"]);
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
