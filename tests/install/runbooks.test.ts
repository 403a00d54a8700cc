import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadProducts } from "../check/product.ts";
import type { EdgeFunction } from "../../shared/serve.ts";
import { type Api, type Session, startApi } from "../support/api.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";
import { readSteps, type Steps } from "./readme-block.ts";

let api: Api;
let tenant: Tenant;
let folder: string;
let founded = 0;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  folder = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-runbooks-")));
  const { products } = await loadProducts(resolve(import.meta.dirname, "../.."));
  await api.serveFunctions(
    Object.fromEntries(products.map((product) => [product.slug, product as unknown as EdgeFunction])),
  );
});
afterAll(async () => {
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  tenant = await foundTenant(api, `acme${++founded}`);
});

const sql = () => api.database.sql("postgres");

const steps = (name: string, more: Record<string, string> = {}): Promise<Steps> =>
  readSteps(name, folder, {
    PROJECT_URL: api.url,
    OWNER_SESSION: tenant.owner.access_token,
    ORGANIZATION_ID: tenant.organization_id,
    DATABASE_URL: api.database.url,
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    ...more,
  });

/** Asks over the socket, as the service that holds the token would. */
async function ask(token: string, path: string, body?: unknown, method = "POST"): Promise<Response> {
  return await fetch(`${api.url}/functions/v1/${path}`, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method, body: JSON.stringify(body) }),
  });
}

async function told<Answer>(token: string, path: string, body?: unknown, method?: string): Promise<Answer> {
  return await (await ask(token, path, body, method)).json() as Answer;
}

async function works(key: string): Promise<boolean> {
  const answer = await ask(key, "whoami");
  await answer.body?.cancel();
  return answer.status === 200;
}

const allWork = (keys: Issued[]): Promise<boolean[]> => Promise.all(keys.map(({ key }) => works(key)));

const child = (issuer: Issued, environment = "live"): Promise<Issued> =>
  told(issuer.key, "issue-key", { name: "child", environment, scopes: ["mail:read"] });

/** Sends test mail, which goes to the sandbox. */
async function send(key: string): Promise<string> {
  const message = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };
  return (await told<{ id: string }>(key, "send-mail", message)).id;
}

const statusOf = async (id: string) => (await told<{ status: string }>(tenant.test, `messages/${id}`)).status;

/** Whether a worker's secret opens a worker; where it does, mail that is due goes out. */
const wakes = async (secret: string) => (await ask(secret, "deliver-mail", {})).status === 200;

async function workerSecret(): Promise<string> {
  const [row] = await sql()`
    select decrypted_secret from vault.decrypted_secrets where name = 'mailpipe_worker_secret'
  `;
  return String(row?.["decrypted_secret"]);
}

/** Seals the audit log as an hour does; the head that audit.sealed told. */
async function sealedHead(): Promise<string> {
  await sql()`
    update mailpipe.audit set created_at = created_at - interval '2 hours'
    where organization_id = ${tenant.organization_id} and seal is null
  `;
  await sql()`select mailpipe.seal_audit()`;
  const [event] = await sql()`
    select data ->> 'head' as head from mailpipe.events
    where type = 'audit.sealed' and organization_id = ${tenant.organization_id}
  `;
  return String(event?.["head"]);
}

test("a leaked key is revoked with its children and its queue, looked into and replaced", async () => {
  const leaked = await issue(tenant.owner.access_token, { environment: "test" });
  const planted = await child(leaked, "test");
  await ask(tenant.owner.access_token, `organizations/${tenant.organization_id}`, {
    sending_paused: true,
  }, "PATCH");
  const queued = [await send(leaked.key), await send(tenant.test)];
  const { count, run } = await steps("runbook-leaked-key", {
    LEAKED_KEY: leaked.key,
    LEAKED_KEY_ID: leaked.id,
    FOUND_AT: "https://paste.example/1",
  });
  expect(count).toBe(3);
  expect(JSON.parse(await run(1))).toEqual({ received: 1 });
  expect(await allWork([leaked, planted])).toEqual([false, false]);
  expect(await Promise.all(queued.map(statusOf))).toEqual(["cancelled", "queued"]);
  const { data } = JSON.parse(await run(2)) as { data: { action: string; subject_id: string }[] };
  expect(data).toContainEqual(expect.objectContaining({ action: "key.issued", subject_id: planted.id }));
  const { key } = JSON.parse(await run(3)) as { key: string };
  expect(await works(key)).toBe(true);
});

describe("a leaked project secret", () => {
  test("what was made with it falls, and mail waits meanwhile", async () => {
    const TOLD_HEAD = await sealedHead();
    const LEAKED_SINCE = new Date().toISOString();
    const { access_token } = tenant.owner;
    const planted = [await issue(access_token), await issue(access_token, { environment: "test" })];
    const secret = await workerSecret();
    const { count, run } = await steps("runbook-leaked-secret", { LEAKED_SINCE, TOLD_HEAD });
    expect(count).toBe(6);

    expect(JSON.parse(await run(1))).toMatchObject({ sending_paused: true });
    const mail = [await send(planted[1]?.key ?? ""), await send(tenant.test)];

    await run(2);
    expect([await wakes(secret), await wakes(await workerSecret())]).toEqual([false, true]);
    expect(await Promise.all(mail.map(statusOf))).toEqual(["queued", "queued"]);

    const shown = await run(3);
    expect(planted.filter(({ id }) => !shown.includes(id))).toEqual([]);
    expect(await allWork(planted)).toEqual([true, true]);

    await run(4);
    expect(await allWork(planted)).toEqual([false, false]);
    expect([await works(tenant.live), await works(tenant.test)]).toEqual([true, true]);
    expect(await Promise.all(mail.map(statusOf))).toEqual(["cancelled", "queued"]);

    const [proof, since] = (await run(5)).trim().split(/(?<=})(?={"data")/);
    expect(JSON.parse(proof ?? "")).toMatchObject({ valid: true, head_known: true, head: TOLD_HEAD });
    expect(planted.filter(({ id }) => !since?.includes(id))).toEqual([]);

    expect(JSON.parse(await run(6))).toMatchObject({ sending_paused: false });
    await wakes(await workerSecret());
    expect(await Promise.all(mail.map(statusOf))).toEqual(["cancelled", "delivered"]);
  });

  test("an audit log that was changed, or written anew, is found out", async () => {
    const TOLD_HEAD = await sealedHead();
    const LEAKED_SINCE = new Date().toISOString();
    const anew = await steps("runbook-leaked-secret", { LEAKED_SINCE, TOLD_HEAD: "0".repeat(64) });
    expect(await anew.run(5)).toMatch(/"valid":false.*"head_known":false|"head_known":false.*"valid":false/);
    await sql()`
      update mailpipe.audit set actor_id = 'somebody else'
      where organization_id = ${tenant.organization_id} and action = 'key.issued'
    `;
    const { run } = await steps("runbook-leaked-secret", { LEAKED_SINCE, TOLD_HEAD });
    const proof = await run(5);
    expect(proof).toContain('"valid":false');
    expect(proof).toContain("a line was changed, added or taken away");
  });
});

describe("a restored backup", () => {
  /** The backup holds the keys as they are now. */
  const backUp = () =>
    sql().unsafe("create schema backup; create table backup.api_keys as table mailpipe.api_keys");

  /** Puts back keys, audit log and sessions as they were; who wants to go on signs in again. */
  async function restore(point: string): Promise<Session> {
    await sql().unsafe(`
      delete from mailpipe.api_keys where id not in (select id from backup.api_keys);
      update mailpipe.api_keys as key set revoked_at = saved.revoked_at
      from backup.api_keys as saved where saved.id = key.id;
      drop schema backup cascade;
    `);
    await sql()`delete from mailpipe.audit where created_at >= ${point}`;
    await sql()`delete from auth.sessions where id = ${tenant.owner.session_id}`;
    return await addMember(api, tenant, "owner");
  }

  test("brings revoked keys back, and the runbook fells them again, in both environments", async () => {
    const { access_token } = tenant.owner;
    const ofTest = await issue(access_token, { environment: "test" });
    const [live, lone, kept] = [
      await issue(access_token),
      await issue(access_token),
      await issue(access_token),
    ];
    const [fallen, spared] = [await child(live), await child(lone)];
    await backUp();
    const RESTORE_POINT = new Date().toISOString();
    const late = await issue(access_token);
    for (const { id } of [live, late]) await ask(tenant.live, "revoke-key", { id });
    await ask(tenant.live, "revoke-key", { id: lone.id, descendants: false });
    await ask(tenant.test, "revoke-key", { id: ofTest.id });
    const keys = [live, fallen, lone, ofTest, spared, kept];
    expect(await allWork(keys)).toEqual([false, false, false, false, true, true]);

    const before = await steps("runbook-restored-backup", { RESTORE_POINT });
    expect(before.count).toBe(2);
    await before.run(1);
    const anew = await restore(RESTORE_POINT);
    expect(await allWork(keys)).toEqual([true, true, true, true, true, true]);

    await expect(before.run(2)).resolves.toMatch(/^(?:401 key_\w+\n)+$/);
    const { run } = await steps("runbook-restored-backup", { OWNER_SESSION: anew.access_token });
    const said = (await run(2)).trim().split("\n");
    const revoked = [live, fallen, lone, ofTest].map(({ id }) => `200 ${id}`);
    expect(said.toSorted()).toEqual([...revoked, `404 ${late.id}`].toSorted());
    expect(await allWork(keys)).toEqual([false, false, false, false, true, true]);
  });

  test("lists more than a page, and a second run loses nothing of the first", async () => {
    const RESTORE_POINT = new Date().toISOString();
    await sql()`
      insert into mailpipe.audit (organization_id, environment, actor_kind, actor_id, action, subject_id)
      select ${tenant.organization_id}, 'live', 'session', 'x', 'key.revoked', mailpipe.new_id('key')
      from generate_series(1, 205)
    `;
    const listed = () =>
      new Set(readFileSync(join(folder, "revoked.txt"), "utf8").match(/^live key_\w{26}$/gm));
    const known = listed().size;
    const { run } = await steps("runbook-restored-backup", { RESTORE_POINT });
    await run(1);
    expect(listed().size - known).toBe(205);
    await sql()`delete from mailpipe.audit where organization_id = ${tenant.organization_id}`;
    await run(1);
    expect(listed().size - known).toBe(205);
  });
});
