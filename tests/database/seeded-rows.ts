import { randomBytes, randomUUID } from "node:crypto";
import type { TestDatabase } from "../support/database.ts";
import { foundTenant, signIn, type Tenant } from "./tenant.ts";

type Environment = "live" | "test";
type Row = Record<string, unknown>;

/** A tenant that has a row in every table: two, a live one and a test one, where the table knows environments. */
export interface SeededTenant extends Tenant {
  /** A member beside the owner. */
  viewer_id: string;
  /** What every id seeded for this tenant's live environment ends in: `msg_<suffix>`, `thr_<suffix>`, … */
  suffix: string;
}

const suffixOf = (organization_id: string, environment: Environment) => `${organization_id}_${environment}`;

/** The rows of one environment, parents first. A new table needs a line here, or access-matrix.test.ts says so. */
function rowsOf(tenant: Tenant, environment: Environment): [table: string, row: Row][] {
  const { organization_id } = tenant;
  const whose = { organization_id, environment };
  const id = (prefix: string) => `${prefix}_${suffixOf(organization_id, environment)}`;
  const key = { name: "seeded", last_four: "seed", scopes: ["mail:read"], window_id: id("key") };
  const provider = { kind: "smtp", name: "seeded", is_default: false };
  const moment = new Date("2026-01-01T00:00:00Z");
  const window = { hour_at: moment, hour_used: 1, day_at: moment, day_used: 1 };
  const object = `${organization_id}/${environment}/${"0".repeat(64)}`;
  return [
    ["api_keys", { ...whose, ...key, id: id("key"), hash: randomBytes(32) }],
    ["key_usage", { ...whose, key_id: id("key"), used: 1, refused: 0 }],
    ["key_uses", { key_id: id("key"), slot: 0, used: 1, refused: 0 }],
    ["rate_windows", {
      ...{ subject_id: id("key"), second_at: moment, second_used: 1, minute_at: moment, minute_used: 1 },
      ...window,
    }],
    ["saved_windows", { subject_id: id("key"), ...window }],
    ["providers", { ...whose, ...provider, ...secrets(), id: id("prv") }],
    ["mailboxes", { ...whose, id: id("mbx"), address: "seeded@acme.example" }],
    ["threads", { ...whose, id: id("thr"), subject_key: "seeded", participants: [] }],
    ["messages", {
      ...{ ...whose, id: id("msg"), thread_id: id("thr"), subject: "seeded", from_email: "ada@example.com" },
      ...{ direction: "inbound", status: "received", mailbox_id: id("mbx"), raw_key: object },
    }],
    ["recipients", {
      ...{ ...whose, message_id: id("msg"), position: 0 },
      ...{ kind: "to", email: "seeded@acme.example", status: "received" },
    }],
    ["attachments", {
      ...{ ...whose, id: id("att"), message_id: id("msg"), position: 0, filename: "a.txt", size_bytes: 1 },
      ...{ content_type: "text/plain", sha256: "0".repeat(64), storage_key: object },
    }],
    ["events", { ...whose, id: id("evt"), type: "email.received", message_id: id("msg"), data: {} }],
    ["events", { ...whose, id: id("evt_key"), type: "key.exposed", data: {} }],
    ["webhook_endpoints", {
      ...{ ...whose, id: id("whk"), url: "https://example.com/", events: ["*"], secret: sealed() },
      ...{ headers: sealed(), header_names: ["authorization"] },
      ...{ previous_secret: sealed(), previous_secret_until: new Date("2100-01-01") },
    }],
    ["deliveries", { ...whose, id: id("dlv"), event_id: id("evt"), endpoint_id: id("whk") }],
    ["jobs", { ...whose, id: id("job"), kind: "dispatch_delivery", subject_id: id("dlv") }],
    ["attempts", { ...whose, job_id: id("job_msg"), fence: 1, message_id: id("msg") }],
    ["attempts", { ...whose, job_id: id("job"), fence: 1, delivery_id: id("dlv") }],
    ["inbound_requests", {
      ...{ ...whose, id: id("inb"), provider_id: id("prv"), kind: "smtp", event_key: "seeded" },
      ...{ headers: {}, storage_key: object, size_bytes: 1 },
    }],
    ["early_events", {
      ...{ ...whose, id: id("evt_early"), provider_id: id("prv"), provider_message_id: "seeded", event: {} },
      request_id: id("inb"),
    }],
    ["deletions", {
      ...{ ...whose, id: id("del"), what: "message", confirm_hash: randomBytes(32), counts: {} },
      confirm_until: new Date("2100-01-01"),
    }],
    ["idempotency_records", {
      ...{ ...whose, key: "a".repeat(64), fingerprint: randomBytes(32), expires_at: new Date("2100-01-01") },
    }],
    ["audit", {
      ...{ ...whose, id: id("aud"), actor_kind: "system", actor_id: "system", action: "seeded.row" },
    }],
  ];
}

/** Rows of an organization that belong to neither environment. */
function rowsBeside({ organization_id }: Tenant, viewer_id: string): [table: string, row: Row][] {
  const hashes = { lines_hash: randomBytes(32), hash: randomBytes(32) };
  const range = { sequence: 1, lines: 1, first_at: new Date(0), last_at: new Date(0) };
  return [
    ["members", { organization_id, user_id: viewer_id, role: "viewer" }],
    ["audit_seals", { organization_id, ...range, ...hashes }],
    ["invitations", {
      ...{ organization_id, email: "invited@acme.example", role: "viewer", token_hash: randomBytes(32) },
      expires_at: new Date("2100-01-01"),
    }],
    ["exports", { organization_id, id: `exp_${organization_id}` }],
    ["export_parts", {
      ...{ organization_id, export_id: `exp_${organization_id}`, number: 1, kind: "rows", name: "a.json" },
      ...{ entries: 1, size_bytes: 1, sha256: "0".repeat(64), storage_key: `${organization_id}/export/1` },
    }],
  ];
}

/** What looks sealed: the bytes a check asks for say AES-256, and one hash for its key. */
function sealed(): Buffer {
  return Buffer.from([0, 0, 0, 9, 1]);
}

function secrets(): Row {
  return { credentials: sealed(), inbound_secret: sealed(), inbound_token_hash: randomBytes(32) };
}

/** Founds an organization and gives it rows in every table. */
export async function seedTenant(database: TestDatabase, name: string): Promise<SeededTenant> {
  const tenant = await foundTenant(database, name);
  const viewer = await signIn(database, `viewer-${randomUUID()}@example.com`);
  await database.sql("supabase_admin").begin(async (sql) => {
    const rows = [
      ...rowsBeside(tenant, viewer.user_id),
      ...rowsOf(tenant, "live"),
      ...rowsOf(tenant, "test"),
    ];
    for (const [table, row] of rows) await sql`insert into ${sql(`mailpipe.${table}`)} ${sql(row)}`;
  });
  return { ...tenant, viewer_id: viewer.user_id, suffix: suffixOf(tenant.organization_id, "live") };
}
