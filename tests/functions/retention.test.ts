import { afterAll, beforeAll, describe, expect, test } from "vitest";
import organizations from "../../functions/organizations/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { fillEveryTable, organizationRows } from "../support/every-table.ts";
import { keepLog } from "../support/log.ts";
import { connect, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { addMember, foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let account: SmtpAccount;
let bystander: Tenant;
let untouched: Record<string, number>;
let named = 0;

// What expires by itself: memory of a day, a finished export, a deletion nobody confirmed.
const expiring = ["deletions", "export_parts", "exports", "idempotency_records"];

async function maintain(): Promise<Record<string, unknown>> {
  const answer = await ask(runMaintenance, "run-maintenance", {
    headers: { apikey: api.secretKey },
    body: {},
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

const keep = ({ organization_id }: Tenant, body: unknown, token: string) =>
  ask(organizations, `organizations/${organization_id}`, { method: "PATCH", token, body });

/** An organization with rows in every table, from today. */
async function filled(): Promise<Tenant> {
  const tenant = await foundTenant(api, `retention${named++}`);
  await connect(tenant.live, "smtp", account.credentials);
  await fillEveryTable(api, tenant, "ada@example.net");
  return tenant;
}

/** Rows of one organization before and after `days` and a maintenance run, where they differ. */
async function gone(tenant: Tenant, days: number): Promise<Record<string, [number, number]>> {
  const before = await organizationRows(api, tenant.organization_id);
  await api.database.setClock(new Date(Date.now() + days * 86_400_000).toISOString());
  await maintain();
  const after = await organizationRows(api, tenant.organization_id);
  await api.database.setClock(new Date().toISOString());
  return Object.fromEntries(
    Object.entries(before).flatMap(([table, held]) =>
      held > (after[table] ?? 0) ? [[table, [held, after[table] ?? 0]]] : []
    ),
  );
}

beforeAll(async () => {
  keepLog();
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  api = await startApi();
  account = await startSmtpAccount();
  await api.database.setClock(new Date().toISOString());
  bystander = await filled();
  await api.database.sql("postgres")`update mailpipe.deliveries set state = 'failed'`;
  untouched = await organizationRows(api, bystander.organization_id);
});
afterAll(async () => {
  delete process.env["MAILPIPE_EGRESS_ALLOW"];
  await account?.close();
  await api?.close();
});

describe("what an organization keeps", () => {
  test("is everything, until it says otherwise", async () => {
    const tenant = await filled();
    const lost = await gone(tenant, 3000);
    expect(Object.keys(lost).sort()).toEqual(expiring);
  });

  test.each<[string, number, string[]]>([
    ["messages", 10, [
      "attachments",
      "attempts",
      "deliveries",
      "events",
      "messages",
      "recipients",
      "threads",
    ]],
    ["raw_mail", 10, ["early_events", "inbound_requests"]],
    ["attempts", 10, ["attempts"]],
  ])("of %s goes after its days, and not a day early", async (kind, days, tables) => {
    const tenant = await filled();
    const token = tenant.owner.access_token;
    const answer = await keep(tenant, { [`${kind}_retention_days`]: days }, token);
    expect(answer.body).toMatchObject({ [`${kind}_retention_days`]: days });
    expect(Object.keys(await gone(tenant, days - 1)).filter((table) => !expiring.includes(table))).toEqual(
      [],
    );
    // What is still to be delivered would stay.
    await api.database.sql("postgres")`
      update mailpipe.deliveries set state = 'succeeded' where organization_id = ${tenant.organization_id}
    `;
    const lost = await gone(tenant, days + 1);
    expect(Object.keys(lost).filter((table) => !expiring.includes(table)).sort()).toEqual(tables);
  });

  test("of events waits for what is still to be delivered", async () => {
    const tenant = await filled();
    await keep(tenant, { events_retention_days: 30 }, tenant.owner.access_token);
    const first = await gone(tenant, 31);
    // Every one of them has a delivery that waits.
    expect(first["events"]).toBeUndefined();
    const sql = api.database.sql("postgres");
    await sql`
      update mailpipe.deliveries set state = 'failed'
      where id = (select min(id) from mailpipe.deliveries where organization_id = ${tenant.organization_id})
    `;
    expect((await gone(tenant, 31))["deliveries"]).toEqual([expect.any(Number), expect.any(Number)]);
    await sql`
      update mailpipe.deliveries set state = 'failed' where organization_id = ${tenant.organization_id}
    `;
    expect(Object.keys(await gone(tenant, 31)).sort()).toEqual(["deliveries", "events"]);
  });

  test("of messages leaves what is not yet sent, and raw bytes go while the message stays", async () => {
    const tenant = await filled();
    const sql = api.database.sql("postgres");
    const [message] = await sql<{ id: string }[]>`
      select id from mailpipe.messages where organization_id = ${tenant.organization_id} and raw_key is not null
    `;
    await sql`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id, due_at)
      values (${tenant.organization_id}, 'live', 'deliver_message', ${
      message?.id ?? ""
    }, now() + interval '99 days')
    `;
    await sql`
      update mailpipe.inbound_requests set message_ids = ${[message?.id ?? ""]}
      where organization_id = ${tenant.organization_id}
    `;
    await sql`
      update mailpipe.deliveries set state = 'succeeded' where organization_id = ${tenant.organization_id}
    `;
    const body = { messages_retention_days: 10, raw_mail_retention_days: 5 };
    await keep(tenant, body, tenant.owner.access_token);
    const lost = await gone(tenant, 11);
    expect(lost["messages"]).toEqual([2, 1]);
    const [left] = await sql`select raw_key from mailpipe.messages where id = ${message?.id ?? ""}`;
    expect(left?.["raw_key"]).toBeNull();
  });

  test("of raw mail and attempts leaves what is not processed, and the try whose outcome is unknown", async () => {
    const tenant = await filled();
    const { organization_id, owner } = tenant;
    const sql = api.database.sql("postgres");
    await sql`update mailpipe.inbound_requests set processed_at = null where organization_id = ${organization_id}`;
    await sql`
      insert into mailpipe.attempts (organization_id, environment, job_id, fence, message_id)
      select organization_id, environment, job_id, fence + 1, message_id from mailpipe.attempts
      where organization_id = ${organization_id}
    `;
    await keep(tenant, { raw_mail_retention_days: 1, attempts_retention_days: 1 }, owner.access_token);
    const lost = await gone(tenant, 2);
    expect(lost["inbound_requests"]).toBeUndefined();
    expect(lost["attempts"]).toEqual([2, 1]);
  });

  test("is changed by its owner, in days that make sense, and null is for good again", async () => {
    const tenant = await filled();
    const { owner: { access_token: token } } = tenant;
    const admin = await addMember(api, tenant, "admin");
    expect(refusal(await keep(tenant, { messages_retention_days: 5 }, admin.access_token)))
      .toEqual([403, "role_missing"]);
    for (
      const [field, days] of [
        ["messages_retention_days", 0],
        ["raw_mail_retention_days", -1],
        ["attempts_retention_days", 1.5],
        ["messages_retention_days", 3651],
        ["events_retention_days", 29],
        ["audit_retention_days", 89],
        ["messages_retention_days", "5"],
      ] as const
    ) {
      expect(refusal(await keep(tenant, { [field]: days }, token))).toEqual([422, "invalid_request", field]);
    }
    await keep(tenant, { messages_retention_days: 1 }, token);
    expect((await keep(tenant, { messages_retention_days: null, name: "Still" }, token)).body)
      .toMatchObject({ messages_retention_days: null, name: "Still" });
    expect(Object.keys(await gone(tenant, 900))).not.toContain("messages");
  });

  test("is its own affair: who keeps everything has lost nothing to the others' days", async () => {
    const left = await organizationRows(api, bystander.organization_id);
    const fewer = Object.entries(untouched).filter(([table, rows]) => (left[table] ?? 0) < rows);
    expect(fewer.map(([table]) => table).sort()).toEqual(expiring);
  });

  test("is asked for by the scheduler only when something is over", async () => {
    const tenant = await filled();
    const sql = api.database.sql("postgres");
    for (let round = 0; round < 5; round++) await maintain();
    const due = async () => (await sql`select mailpipe.upkeep_due() as due`)[0]?.["due"];
    await sql`delete from mailpipe.deletions`;
    expect(await due()).toBe(false);
    await keep(tenant, { messages_retention_days: 1 }, tenant.owner.access_token);
    await maintain();
    expect(await due()).toBe(false);
    await api.database.advanceClock("25 hours");
    expect(await due()).toBe(true);
  });
});
