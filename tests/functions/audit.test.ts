import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import audit from "../../functions/audit/index.ts";
import listKeys from "../../functions/list-keys/index.ts";
import organizations from "../../functions/organizations/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let other: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  other = await foundTenant(api, "other");
  await api.database.setClock(new Date().toISOString());
});
afterAll(() => api.close());

const read = (query = "", token = tenant.owner.access_token) => ask(audit, `audit${query}`, { token });
const verify = async (query = "") =>
  (await ask(audit, `audit/verify${query}`, { token: tenant.owner.access_token })).body;
const maintain = async () =>
  (await ask(runMaintenance, "run-maintenance", { headers: { apikey: api.secretKey }, body: {} })).body;
const heads = async () =>
  await api.database.sql("postgres")<{ data: { head: string; lines: number; sequence: number } }[]>`
    select data from mailpipe.events
    where type = 'audit.sealed' and organization_id = ${tenant.organization_id}
    order by position
  `;

describe("audit", () => {
  test("tells the owner who did what, newest first, by id, in both environments", async () => {
    const { id } = await issue(tenant.owner.access_token);
    const [line] = rows(await read());
    expect(line).toMatchObject({
      environment: "live",
      actor_kind: "session",
      actor_id: tenant.owner.user_id,
      action: "key.issued",
      subject_id: id,
    });
    const environments = rows(await read()).map(({ environment }) => environment);
    expect(new Set(environments)).toEqual(new Set(["live", "test", null]));
  });

  test("is narrowed by each of its filters", async () => {
    const { id, key } = await issue(tenant.owner.access_token, { environment: "test" });
    const child = await issue(key, { environment: "test", scopes: ["mail:read"] });
    const found = async (query: string) => rows(await read(query)).map(({ subject_id }) => subject_id);
    expect(await found(`?subject_id=${id}`)).toEqual([id]);
    expect(await found(`?actor_id=${id}`)).toEqual([child.id]);
    expect(await found("?action=organization.created")).toEqual([tenant.organization_id]);
    expect(await found("?environment=live")).not.toContain(id);
    expect(await found("?environment=test")).toContain(id);
    const [{ created_at } = {}] = rows(await read(`?subject_id=${id}`));
    expect(await found(`?subject_id=${id}&since=${created_at}`)).toEqual([id]);
    expect(await found(`?subject_id=${id}&until=${created_at}`)).toEqual([]);
  });

  test("pages", async () => {
    const all = rows(await read("?limit=100")).map(({ id }) => id);
    const first = await read("?limit=2");
    const second = await read(`?limit=100&cursor=${first.body.next}`);
    expect([...rows(first), ...rows(second)].map(({ id }) => id)).toEqual(all);
  });

  test("is for owners: no key, no other role, no other organization's owner", async () => {
    expect(refusal(await read("", tenant.live))).toEqual([403, "session_required"]);
    for (const role of ["admin", "member", "viewer"]) {
      const { access_token } = await addMember(api, tenant, role);
      expect(refusal(await read("", access_token))).toEqual([403, "role_missing"]);
    }
    const theirs = rows(await read("?limit=100", other.owner.access_token)).map(({ id }) => id);
    const ours = rows(await read("?limit=100")).map(({ id }) => id);
    expect(ours.filter((id) => theirs.includes(id))).toEqual([]);
  });

  test("holds refusals that matter, once an hour for the same, and no address", async () => {
    const { id, key } = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
    const refused = () => ask(listKeys, "list-keys", { token: key });
    expect(refusal(await refused())).toEqual([403, "scope_missing"]);
    await refused();
    const lines = async () => rows(await read(`?subject_id=${id}&action=key.refused`));
    expect((await lines()).map(({ detail }) => detail)).toEqual([
      { reason: "scope_missing", detail: "keys:read" },
    ]);
    await api.database.advanceClock("1 hour");
    await refused();
    expect(await lines()).toHaveLength(2);
  });

  test.each([
    ["an action that is none", "?action=key", "action"],
    ["a time without an offset", "?since=2026-01-01T00:00:00", "since"],
    ["another environment", "?environment=prod", "environment"],
    ["an actor that is empty", "?actor_id=", "actor_id"],
  ])("is 422 for %s", async (_, query, path) => {
    expect(refusal(await read(query))).toEqual([422, "invalid_request", path]);
  });
});

describe("the chain of seals", () => {
  const sql = () => api.database.sql("postgres");

  test("covers what is an hour old, verifies, and its head leaves in one event a day", async () => {
    expect(await verify()).toMatchObject({ valid: true, ranges: 0, head: null });
    await maintain();
    await issue(tenant.owner.access_token);
    const before = await verify();
    await api.database.advanceClock("1 hour");
    expect((await maintain()).sealed_ranges).toBeGreaterThan(0);
    const proof = await verify();
    expect(proof).toMatchObject({ valid: true, unsealed: 0, faults: [] });
    expect(Number(proof.ranges)).toBe(Number(before.ranges) + 1);

    for (let hour = 0; hour < 30; hour++) {
      await issue(tenant.owner.access_token);
      await api.database.advanceClock("1 hour");
      await maintain();
    }
    expect(await verify()).toMatchObject({ valid: true, unsealed: 0 });
    const told = await heads();
    expect(told).toHaveLength(2);
    for (const { data } of told) {
      expect(await verify(`?head=${data.head}`)).toMatchObject({ valid: true, head_known: true });
    }
  });

  test("knows a head that was never its own", async () => {
    expect(await verify(`?head=${"0".repeat(64)}`)).toMatchObject({ valid: false, head_known: false });
    const answer = await ask(audit, "audit/verify?head=abc", { token: tenant.owner.access_token });
    expect(refusal(answer)).toEqual([422, "invalid_request", "head"]);
  });

  test.each([
    ["a line changed", "update mailpipe.audit set actor_id = 'nobody' where seal = 2", 2],
    ["a line taken away", "delete from mailpipe.audit where seal = 3", 3],
    [
      "a line slipped in",
      `insert into mailpipe.audit (organization_id, actor_kind, actor_id, action, seal)
       select organization_id, 'key', 'x', 'key.issued', 2 from mailpipe.audit where seal = 2 limit 1`,
      2,
    ],
    ["a seal taken away", "delete from mailpipe.audit_seals where sequence = 2", 3],
    ["a seal's count changed", "update mailpipe.audit_seals set lines = lines + 1 where sequence = 2", 2],
    [
      "a range dropped as if it were old",
      `update mailpipe.audit_seals
       set first_at = first_at - interval '100 days', last_at = last_at - interval '100 days', dropped_at = now()
       where sequence = 2`,
      2,
    ],
    [
      "a range dropped before its time",
      "update mailpipe.audit_seals set dropped_at = last_at where sequence = 2",
      2,
    ],
    [
      "a line changed and its range hashed anew",
      `update mailpipe.audit set actor_id = 'nobody' where seal = 2;
       update mailpipe.audit_seals as seal
       set
           lines_hash = mailpipe.lines_hash(seal.organization_id, 2),
           hash = mailpipe.seal_hash(
               jsonb_populate_record(seal, jsonb_build_object('lines_hash', mailpipe.lines_hash(seal.organization_id, 2))),
               previous.hash
           )
       from mailpipe.audit_seals as previous
       where previous.organization_id = seal.organization_id and previous.sequence = 1 and seal.sequence = 2`,
      3,
    ],
  ])("breaks on %s", async (_, tampering, sequence) => {
    const [broken] = await sql().begin(async (transaction) => {
      await transaction.unsafe(tampering);
      const faults = await transaction<{ sequence: number; fault: string }[]>`
        select sequence, fault from mailpipe.verify_audit(${tenant.organization_id}) where fault is not null
      `;
      await transaction`savepoint done`;
      throw Object.assign(new Error("undo"), { faults });
    }).catch((error: { faults?: { sequence: number }[] }) => error.faults ?? []);
    expect(broken?.sequence).toBe(sequence);
  });

  test("is sha256 over the hash before and the range's lines, as anybody can work out", async () => {
    const lines = await sql()<{ seal: number; line: string }[]>`
      select seal, mailpipe.audit_line(audit) as line from mailpipe.audit
      where organization_id = ${tenant.organization_id} and seal is not null
      order by position
    `;
    const seals = await sql()<
      { sequence: number; lines: number; first: string; last: string; hash: Buffer }[]
    >`
      select sequence, lines, mailpipe.rfc3339(first_at) as first, mailpipe.rfc3339(last_at) as last, hash from mailpipe.audit_seals where organization_id = ${tenant.organization_id} order by sequence
    `;
    let previous: Uint8Array = new Uint8Array(32);
    for (const { sequence, lines: count, first, last, hash } of seals) {
      const text = lines.filter(({ seal }) => seal === sequence).map(({ line }) => `${line}\n`).join("");
      const digest = createHash("sha256").update(text).digest("hex");
      const facts = [sequence, count, first, last, digest, ""].join("\n");
      previous = createHash("sha256").update(previous).update(facts).digest();
      expect(Buffer.from(previous).equals(hash)).toBe(true);
    }
    expect(seals.length).toBeGreaterThan(20);
  });

  test("is written by nobody but maintenance: no role of ours changes, deletes or empties the log", async () => {
    for (
      const role of ["mailpipe_tenant", "mailpipe_worker", "service_role", "authenticated", "anon"] as const
    ) {
      for (
        const statement of [
          "update mailpipe.audit set action = 'a.b'",
          "delete from mailpipe.audit",
          "truncate mailpipe.audit",
          "update mailpipe.audit_seals set told_at = null",
          "delete from mailpipe.audit_seals",
          "truncate mailpipe.audit_seals",
          "insert into mailpipe.audit_seals values ('x')",
          "merge into mailpipe.audit as a using (values (1)) as v on true when matched then delete",
          "copy mailpipe.audit_seals from stdin",
          "set session_replication_role = 'replica'",
        ]
      ) {
        await expect(api.database.sql(role).unsafe(statement), `${role}: ${statement}`).rejects
          .toMatchObject({ code: "42501" });
      }
    }
  });

  test("closes over ranges whose retention is over, and drops nothing earlier", async () => {
    const patch = (days: unknown, token = tenant.owner.access_token) =>
      ask(organizations, `organizations/${tenant.organization_id}`, {
        method: "PATCH",
        token,
        body: { audit_retention_days: days },
      });
    for (const days of [0, 89, 3651, 90.5, "90"]) {
      expect(refusal(await patch(days))).toEqual([422, "invalid_request", "audit_retention_days"]);
    }
    const admin = await addMember(api, await foundTenant(api, "third"), "admin");
    expect((await patch(90, admin.access_token)).status).toBe(404);
    expect((await patch(90)).body.audit_retention_days).toBe(90);
    await api.database.advanceClock("88 days");
    expect(await maintain()).toMatchObject({ dropped_ranges: 0 });
    await api.database.advanceClock("3 days");
    let dropped = 0;
    for (let call = 0; call < 10; call++) dropped += Number((await maintain()).dropped_ranges);
    expect(dropped).toBeGreaterThan(30);
    const proof = await verify();
    expect(proof).toMatchObject({ valid: true, dropped_ranges: dropped });
    expect(rows(await read("?action=organization.created"))).toEqual([]);
    expect(rows(await read("?action=audit.dropped&limit=100"))).toHaveLength(dropped);
    const [newest] = await heads();
    expect(await verify(`?head=${newest?.data.head}`)).toMatchObject({ valid: true, head_known: true });
  });
});
