import { afterAll, beforeAll, describe, expect, test } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import revokeKey from "../../functions/revoke-key/index.ts";
import rotateKey from "../../functions/rotate-key/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let founded = 0;

beforeAll(async () => {
  keepLog();
  api = await startApi();
});
afterAll(() => api.close());

const fresh = async () => tenant = await foundTenant(api, `acme${++founded}`);
const revoke = (body: object, token = tenant.owner.access_token) =>
  ask(revokeKey, "revoke-key", { token, body });
const dry = (filter: object) => revoke({ filter, dry_run: true });
const works = async ({ key }: { key: string }) =>
  (await ask(whoami, "whoami", { token: key })).status === 200;
const ids = (answer: Answer) => rows(answer).map(({ id }) => id).sort();
const sorted = (...keys: Issued[]) => keys.map(({ id }) => id).sort();
const mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };

describe("revoke-key with a filter", () => {
  test("finds keys by their creator, a user or a key, also by rotation", async () => {
    await fresh();
    const admin = await addMember(api, tenant, "admin");
    const scopes = ["keys:write", "mail:read"] as const;
    const [one, two] = [
      await issue(admin.access_token, { scopes }),
      await issue(tenant.owner.access_token, { scopes }),
    ];
    const taken = await ask(rotateKey, "rotate-key", { token: admin.access_token, body: { id: two.id } });
    const rotated = { id: String(taken.body.id), key: String(taken.body.key) };
    const child = await issue(one.key, { scopes: ["mail:read"] });
    expect(ids(await dry({ created_by: admin.user_id }))).toEqual(sorted(one, rotated, child));
    expect(ids(await dry({ created_by: one.id }))).toEqual([child.id]);
    expect(ids(await dry({ created_by: admin.user_id.toUpperCase() }))).toEqual(sorted(one, rotated, child));
    expect(ids(await revoke({ filter: { created_by: admin.user_id }, descendants: false, dry_run: true })))
      .toEqual(sorted(one, rotated));
  });

  test("changes nothing in a dry run, and then fells exactly what that showed", async () => {
    await fresh();
    const made = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    const filter = { never_used: true };
    const shown = await dry(filter);
    expect(shown.body.dry_run).toBe(true);
    expect(await Promise.all(made.map(works))).toEqual([true, true]);
    const used = { never_used: false };
    const before = ids(await dry(used));
    const fell = await revoke({ filter: used });
    expect(fell.body.dry_run).toBe(false);
    expect(ids(fell)).toEqual(before);
    expect(rows(fell).filter(({ revoked_at }) => revoked_at === null)).toEqual([]);
    expect(await Promise.all(made.map(works))).toEqual([false, false]);
    expect(ids(await dry(used))).toEqual([]);
  });

  test("joins conditions by and: scope, age, environment", async () => {
    await fresh();
    await api.database.setClock("2030-01-01T00:00:00.000Z");
    const old = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
    const test = await issue(tenant.owner.access_token, { scopes: ["mail:read"], environment: "test" });
    await api.database.advanceClock("1 day");
    const young = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
    const other = await issue(tenant.owner.access_token, { scopes: ["mail:send"] });
    const noon = "2030-01-01T12:00:00Z";
    const since = { issued_after: "2030-01-01T00:00:00Z" };
    expect(ids(await dry({ ...since, issued_before: noon }))).toEqual([old.id]);
    expect(ids(await dry({ issued_after: noon }))).toEqual(sorted(young, other));
    expect(ids(await dry({ issued_after: noon, scope: "mail:read" }))).toEqual([young.id]);
    expect(ids(await dry({ ...since, environment: "test" }))).toEqual([test.id]);
  });

  test("finds keys by the range they were last used from", async () => {
    await fresh();
    const [near, far] = [await issue(tenant.owner.access_token), await issue(tenant.owner.access_token)];
    const from = ({ key }: Issued, address: string) =>
      ask(whoami, "whoami", { token: key, headers: { "x-forwarded-for": address } });
    await from(near, "198.51.100.77");
    await from(far, "2001:db8:1:2::3");
    expect(ids(await dry({ ip_range: "198.51.100.0/24" }))).toEqual([near.id]);
    expect(ids(await dry({ ip_range: "198.51.0.0/16" }))).toEqual([near.id]);
    expect(ids(await dry({ ip_range: "2001:db8:1::/48" }))).toEqual([far.id]);
    const [listed] = rows(await dry({ ip_range: "2001:db8:1::/48" }));
    expect(listed).toMatchObject({ last_used_range: "2001:db8:1::/48", use_count: 1 });
  });

  test("spares the caller's own key and those it falls with, unless told", async () => {
    await fresh();
    const top = await issue(tenant.owner.access_token);
    const caller = await issue(top.key);
    const child = await issue(caller.key);
    const filter = { scope: "mail:send" };
    const fell = await revoke({ filter }, caller.key);
    expect(ids(fell)).toContain(child.id);
    expect([await works(top), await works(caller), await works(child)]).toEqual([true, true, false]);
    await revoke({ filter, include_self: true }, caller.key);
    expect([await works(top), await works(caller)]).toEqual([false, false]);
  });

  test("takes along what a key obtained by rotating another, but not its rotation of itself", async () => {
    await fresh();
    const [rotator, target] = [
      await issue(tenant.owner.access_token),
      await issue(tenant.owner.access_token),
    ];
    const got = await ask(rotateKey, "rotate-key", { token: rotator.key, body: { id: target.id } });
    const self = await ask(rotateKey, "rotate-key", { token: rotator.key, body: { id: rotator.id } });
    await revoke({ id: rotator.id });
    expect(await works({ key: String(got.body.key) })).toBe(false);
    expect(await works({ key: String(self.body.key) })).toBe(true);
  });

  test("takes along a key that was obtained and then rotated itself, and spares the caller it would take", async () => {
    await fresh();
    const [obtainer, target] = [
      await issue(tenant.owner.access_token),
      await issue(tenant.owner.access_token),
    ];
    const rotate = async (id: string, token: string) => {
      const { body } = await ask(rotateKey, "rotate-key", { token, body: { id, overlap_seconds: 0 } });
      return { id: String(body.id), key: String(body.key) };
    };
    const obtained = await rotate(target.id, obtainer.key);
    const laundered = await rotate(obtained.id, obtained.key);
    const filter = { created_by: tenant.owner.user_id };
    await revoke({ filter }, laundered.key);
    expect([await works(laundered), await works(obtainer)]).toEqual([true, true]);
    const shown = await revoke({ filter: { created_by: obtainer.id }, dry_run: true });
    expect(ids(shown)).toContain(laundered.id);
    await revoke({ id: obtainer.id });
    expect(await works(laundered)).toBe(false);
  });

  test("leaves a way in: the last key that manages keys falls only when told, where no owner or admin can sign in", async () => {
    await fresh();
    const last = await issue(tenant.owner.access_token, { scopes: ["keys:write"] });
    await revoke({ filter: { issued_after: "2000-01-01T00:00:00Z" } }, last.key);
    await api.database.sql("supabase_admin")`
      update auth.users set banned_until = 'infinity' where id = ${tenant.owner.user_id}
    `;
    const child = await issue(last.key, { scopes: ["keys:write"] });
    expect(refusal(await revoke({ id: last.id }, last.key))).toEqual([409, "last_way_in"]);
    expect(refusal(await revoke({ id: last.id }, child.key))).toEqual([409, "last_way_in"]);
    expect([await works(last), await works(child)]).toEqual([true, true]);
    expect((await revoke({ id: child.id }, last.key)).status).toBe(200);
    expect((await revoke({ id: last.id, include_self: true }, last.key)).status).toBe(200);
    expect(await works(last)).toBe(false);
  });

  test("lists and touches nobody else's keys", async () => {
    const stranger = await foundTenant(api, "stranger");
    await fresh();
    const { organization_id } = stranger;
    await revoke({ filter: { issued_after: "2000-01-01T00:00:00Z" }, include_self: true });
    const [row] = await api.database.sql("postgres")`
      select count(*)::int as fell from mailpipe.api_keys
      where organization_id = ${organization_id} and revoked_at is not null
    `;
    expect(row).toEqual({ fell: 0 });
  });

  test.each<[string, object, string]>([
    ["no condition", { filter: {} }, "filter"],
    ["a condition there is not", { filter: { name: "x", scope: "mail:read" } }, "filter.name"],
    ["a filter and an id", { filter: { scope: "mail:read" }, id: `key_${"0".repeat(26)}` }, "id"],
    ["a range of everything", { filter: { ip_range: "0.0.0.0/0" } }, "filter.ip_range"],
    ["a scope there is not", { filter: { scope: "mail:rule" } }, "filter.scope"],
    ["a creator that is neither", { filter: { created_by: "ada" } }, "filter.created_by"],
    ["a dry run that is a text", { filter: { scope: "mail:read" }, dry_run: "yes" }, "dry_run"],
    ["a dry run of one key", { id: `key_${"0".repeat(26)}`, dry_run: true }, "dry_run"],
  ])("is 422 for %s", async (_, body, path) => {
    await fresh();
    expect(refusal(await revoke(body))).toEqual([422, "invalid_request", path]);
  });
});

describe("cancel_queued", () => {
  const status = async (id: unknown) => {
    const [row] = await api.database.sql("postgres")`select status from mailpipe.messages where id = ${
      String(id)
    }`;
    return row?.["status"];
  };
  const send = async (token: string) => (await ask(sendMail, "send-mail", { token, body: mail })).body.id;
  const sweep = () => ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} });

  test("stops what the key queued and no more, and tells of each message", async () => {
    await fresh();
    const { id, key } = await issue(tenant.owner.access_token, { environment: "test" });
    const [stopped, other] = [await send(key), await send(tenant.test)];
    await revoke({ id, cancel_queued: true }, tenant.test);
    expect([await status(stopped), await status(other)]).toEqual(["cancelled", "queued"]);
    const [event] = await api.database.sql("postgres")`
      select data -> 'recipients' as recipients from mailpipe.events
      where message_id = ${String(stopped)} and type = 'email.cancelled'
    `;
    expect(event).toEqual({ recipients: ["b@example.net"] });
    await sweep();
    expect([await status(stopped), await status(other)]).toEqual(["cancelled", "delivered"]);
  });

  test("is not asked for by default", async () => {
    await fresh();
    const { id, key } = await issue(tenant.owner.access_token, { environment: "test" });
    const kept = await send(key);
    await revoke({ id }, tenant.test);
    await sweep();
    expect(await status(kept)).toBe("delivered");
  });

  test("leaves what a worker holds, and reaches what was left over when a worker comes to it", async () => {
    await fresh();
    const { id, key } = await issue(tenant.owner.access_token, { environment: "test" });
    const held = await send(key);
    const caller = { project_secret: true };
    const claim = (message: unknown) =>
      api.database.sql("service_role")`
        select mailpipe_api.claim_messages(${api.database.sql("service_role").json(caller)}, 8, ${
        String(message)
      }) as work
      `;
    await claim(held);
    const late = await send(key);
    await revoke({ id, cancel_queued: true }, tenant.test);
    expect([await status(held), await status(late)]).toEqual(["sending", "cancelled"]);
    await api.database.setClock(new Date().toISOString());
    await api.database.advanceClock("1 hour");
    await revoke({ id, cancel_queued: true }, tenant.test);
    // Its worker never came back: it may have been sent, so nobody calls it cancelled.
    expect(await status(held)).toBe("sending");
    const [job] = await api.database.sql("postgres")`
      select count(*)::int as waiting from mailpipe.jobs where subject_id = ${String(held)}
    `;
    expect(job).toEqual({ waiting: 1 });
    const other = await issue(tenant.owner.access_token, { environment: "test" });
    const left = await send(other.key);
    await api.database.sql(
      "postgres",
    )`update mailpipe.api_keys set queue_cancelled = true where id = ${other.id}`;
    expect(await claim(left)).toEqual([{ work: [] }]);
    expect(await status(left)).toBe("cancelled");
  });
});
