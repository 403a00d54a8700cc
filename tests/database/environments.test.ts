import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, rpc, send, type Tenant } from "./tenant.ts";

let database: TestDatabase;
let owner: Sql;
let acme: Tenant;
let live: { message: string; thread: string; mailbox: string; webhook: string };

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  acme = await foundTenant(database, "Acme");
  const message = await send(database.sql("service_role"), acme.live, "live");
  const [row] = await owner<
    { thread_id: string }[]
  >`select thread_id from mailpipe.messages where id = ${message}`;
  const service = database.sql("service_role");
  const made = async (name: string, p_request: unknown) =>
    String((await rpc(service, name, { p_caller: acme.session, p_request }))["id"]);
  live = {
    message,
    thread: row?.thread_id ?? "",
    mailbox: await made("create_mailbox", { address: "in@acme.example" }),
    webhook: await made("create_webhook", {
      url: "https://example.com/",
      events: ["*"],
      secret: "whsec_of_the_fixtures",
      thin: false,
      max_concurrent: 10,
    }),
  };
});
afterAll(() => database.close());

const values = () => ({
  ...live,
  organization: acme.organization_id,
  provider: acme.provider_id,
  key: acme.key_id,
});

describe("promise 8: a test key cannot touch a live row", () => {
  test.each([
    [
      "recipient",
      "message",
      "recipients_message",
      `insert into mailpipe.recipients
      (organization_id, environment, message_id, position, kind, email, status)
      values ($organization, 'test', $message, 9, 'to', 'a@b.example', 'queued')`,
    ],
    [
      "event",
      "message",
      "events_message",
      `insert into mailpipe.events
      (organization_id, environment, type, message_id, data) values ($organization, 'test', 'email.sent', $message, '{}')`,
    ],
    [
      "attempt",
      "provider",
      "attempts_provider",
      `insert into mailpipe.attempts
      (organization_id, environment, job_id, fence, message_id, provider_id)
      select organization_id, environment, id, 1, id, $provider from mailpipe.messages where environment = 'test'`,
    ],
    [
      "message",
      "thread",
      "messages_thread",
      `insert into mailpipe.messages
      (organization_id, environment, direction, status, thread_id, from_email, subject)
      values ($organization, 'test', 'outbound', 'queued', $thread, 'a@b.example', 's')`,
    ],
    [
      "key",
      "issuer",
      "api_keys_issuer",
      `insert into mailpipe.api_keys
      (organization_id, environment, name, hash, last_four, scopes, window_id, issued_by_key)
      values ($organization, 'test', 'n', sha256('x'), 'last', '{mail:send}', 'w', $key)`,
    ],
    [
      "message",
      "mailbox",
      "messages_mailbox",
      `insert into mailpipe.messages
      (organization_id, environment, direction, status, thread_id, from_email, subject, mailbox_id)
      select organization_id, environment, 'inbound', 'received', id, 'a@b.example', 's', $mailbox
      from mailpipe.threads where environment = 'test' limit 1`,
    ],
    [
      "message",
      "key",
      "messages_api_key",
      `insert into mailpipe.messages
      (organization_id, environment, direction, status, thread_id, from_email, subject, api_key_id)
      select organization_id, environment, 'outbound', 'queued', id, 'a@b.example', 's', $key
      from mailpipe.threads where environment = 'test' limit 1`,
    ],
    [
      "delivery",
      "webhook",
      "deliveries_endpoint",
      `insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id)
      select organization_id, environment, id, $webhook from mailpipe.events where environment = 'test' limit 1`,
    ],
    [
      "inbound request",
      "provider",
      "inbound_requests_provider",
      `insert into mailpipe.inbound_requests
      (organization_id, environment, provider_id, kind, event_key, headers, storage_key, size_bytes)
      values ($organization, 'test', $provider, 'mime', 'e', '{}', $organization || '/test/x', 1)`,
    ],
    [
      "key",
      "predecessor",
      "api_keys_replaced",
      `insert into mailpipe.api_keys
      (organization_id, environment, name, hash, last_four, scopes, window_id, replaces)
      values ($organization, 'test', 'n', sha256('x'), 'last', '{mail:send}', 'w', $key)`,
    ],
  ])("a test %s with a live %s breaks %s", async (_, __, constraint_name, statement) => {
    await send(database.sql("service_role"), acme.test, "test");
    const written = Object.entries(values()).reduce(
      (sql, [name, id]) => sql.replaceAll(`$${name}`, `'${id}'`),
      statement,
    );
    await expect(owner.unsafe(written)).rejects.toMatchObject({ code: "23503", constraint_name });
  });

  test("a test message has no provider to go out through, and a live one must have one", async () => {
    const store = (environment: string, provider: string | null) =>
      owner`
      insert into mailpipe.messages (organization_id, environment, direction, status, thread_id, from_email, subject, provider_id)
      values (${acme.organization_id}, ${environment}, 'outbound', 'queued', ${live.thread}, 'a@b.example', 's', ${provider})
    `;
    const broken = { code: "23514", constraint_name: "messages_test_has_no_provider" };
    await expect(store("test", acme.provider_id)).rejects.toMatchObject(broken);
    await expect(store("live", null)).rejects.toMatchObject(broken);
  });

  test("an attachment lies under its own organization and environment", async () => {
    await expect(owner`
      insert into mailpipe.attachments
        (organization_id, environment, message_id, position, filename, content_type, size_bytes, sha256, storage_key)
      values (${acme.organization_id}, 'live', ${live.message}, 0, 'f', 'text/plain', 1, ${"a".repeat(64)},
        ${`${acme.organization_id}/test/${"a".repeat(64)}`})
    `).rejects.toMatchObject({ code: "23514", constraint_name: "attachments_key_is_the_tenants" });
  });
});
