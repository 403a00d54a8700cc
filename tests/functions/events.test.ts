import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliveries from "../../functions/deliveries/index.ts";
import events from "../../functions/events/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { type StandIn, startStandIn } from "../support/stand-in.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";
import { dispatch, sendTest, subscribe } from "../support/webhooks.ts";

let api: Api;
let tenant: Tenant;
let tenants = 0;
let receiver: StandIn;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  receiver = await startStandIn((_, response) => void response.writeHead(204).end());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await receiver.close();
  await api.close();
});
beforeEach(async () => {
  await api.database.setClock("2026-05-01T10:00:00.000Z");
  await sql()`delete from mailpipe.jobs`;
  tenant = await foundTenant(api, `acme${tenants++}`);
  // That its keys were issued.
  await sql()`delete from mailpipe.events`;
  receiver.calls.length = 0;
});

const sql = () => api.database.sql("postgres");
const list = (query = "", token = tenant.test) => ask(events, `events${query}`, { token });
const show = (id: string, token = tenant.test) => ask(events, `events/${id}`, { token });
const ids = async (query: string) => rows(await list(query)).map(({ id }) => id);
const mail = { from: "a@s.example", to: ["b@r.example"], subject: "Grüße", text: "t" };

/** Sends a mail; its id. */
async function send(): Promise<string> {
  return String((await ask(sendMail, "send-mail", { token: tenant.test, body: mail })).body.id);
}

describe("an event", () => {
  test("is shown in full at the link a thin webhook holds, with what became of it at each endpoint", async () => {
    const thin = await subscribe(tenant.test, receiver.url, { thin: true });
    const other = await subscribe(tenant.test, receiver.url);
    const message_id = await send();
    await sql()`update mailpipe.jobs set due_at = due_at + interval '1 hour' where group_id = ${other.id}`;
    await dispatch(api);
    const told = JSON.parse(receiver.calls[0]?.body ?? "") as { id: string; data: { url: string } };
    const slugAndId = new URL(told.data.url).pathname.replace("/functions/v1/", "");
    const { body, status } = await ask(events, slugAndId, { token: tenant.test });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ id: told.id, type: "email.queued", environment: "test", message_id, payload_version: 1 },
      created_at: "2026-05-01T10:00:00.000Z",
      data: { subject: "Grüße" },
    });
    const deliveries = body.deliveries as Record<string, unknown>[];
    expect(
      deliveries.map(({ id: _, ...each }) => each).sort((a, b) =>
        Number(b["attempt_count"]) - Number(a["attempt_count"])
      ),
    )
      .toEqual([
        { endpoint_id: thin.id, state: "succeeded", failure: null, attempt_count: 1 },
        { endpoint_id: other.id, state: "pending", failure: null, attempt_count: 0 },
      ]);
    expect(rows(await list())).toEqual([body]);
  });

  test("is there without any endpoint, and names none that was removed", async () => {
    const message_id = await send();
    expect(rows(await list())).toMatchObject([{ message_id, deliveries: [] }]);
    const { id } = await subscribe(tenant.test, receiver.url);
    const { event_id } = await sendTest(tenant.test, id);
    expect((await show(event_id)).body.deliveries).toHaveLength(1);
    await sql()`
      update mailpipe.webhook_endpoints
      set removed_at = now(), enabled = false, disabled_reason = 'removed', disabled_at = now() where id = ${id}
    `;
    expect((await show(event_id)).body.deliveries).toEqual([]);
  });

  test("is nobody else's", async () => {
    const other = await foundTenant(api, `other${tenants}`);
    await send();
    const [id] = await ids("");
    for (const token of [other.test, other.live, tenant.live]) {
      expect(rows(await list("?type=email.queued", token))).toEqual([]);
      expect(refusal(await show(String(id), token))).toEqual([404, "not_found"]);
    }
    for (const wrong of ["evt_00000000000000000000000000", "nothing", "%00", String(id).toLowerCase()]) {
      expect(refusal(await show(wrong)), wrong).toEqual([404, "not_found"]);
    }
  });
});

describe("an event of a key or of the audit log", () => {
  test("is for who may read keys, in the list, by its id and as the bytes of a delivery", async () => {
    await subscribe(tenant.live, receiver.url);
    await issue(tenant.owner.access_token);
    await dispatch(api);
    await sql()`
      insert into mailpipe.events (organization_id, environment, type, data)
      values (${tenant.organization_id}, 'live', 'audit.sealed', '{"sequence": 1}')
    `;
    const [delivery] = rows(await ask(deliveries, "deliveries", { token: tenant.live }));
    const viewer = (await addMember(api, tenant, "viewer")).access_token;
    const scoped = (await issue(tenant.owner.access_token, { scopes: ["webhooks:read"] })).key;
    const seen = async (token: string) => {
      const listed = rows(await list("", token)).map(({ type }) => type);
      const shown = await show(String(delivery?.["event_id"]), token);
      const { body } = await ask(deliveries, `deliveries/${String(delivery?.["id"])}`, { token });
      return [[...new Set(listed)].sort(), shown.status, typeof body.body];
    };
    expect(await seen(tenant.live)).toEqual([["audit.sealed", "key.issued"], 200, "string"]);
    for (const token of [viewer, scoped]) expect(await seen(token)).toEqual([[], 404, "object"]);
  });
});

describe("the list", () => {
  test("is filtered by type, message and time, all of them at once", async () => {
    const { id } = await subscribe(tenant.test, receiver.url);
    const first = await send();
    await api.database.advanceClock("1 hour");
    const { event_id: tested } = await sendTest(tenant.test, id);
    const second = await send();
    const [of_first] = await ids(`?message_id=${first}`);
    const [of_second] = await ids(`?message_id=${second}`);
    const cases: [string, unknown[]][] = [
      ["", [of_first, tested, of_second]],
      ["type=webhook.test", [tested]],
      ["type=email.queued", [of_first, of_second]],
      ["since=2026-05-01T11:00:00Z", [tested, of_second]],
      ["until=2026-05-01T11:00:00Z", [of_first]],
      [`type=email.queued&since=2026-05-01T10:30:00Z&message_id=${second}`, [of_second]],
      [`type=webhook.test&message_id=${second}`, []],
      ["type=no.such", []],
      ["message_id=msg_00000000000000000000000000", []],
    ];
    for (const [query, wanted] of cases) {
      expect((await ids(`?${query}`)).sort(), query).toEqual(wanted.sort());
    }
  });

  test("goes through pages, newest first, each event once", async () => {
    for (let n = 0; n < 5; n++) {
      await send();
      if (n % 2 === 0) await api.database.advanceClock("1 second");
    }
    const all = await ids("");
    const first = await list("?limit=3");
    const second = await list(`?limit=3&cursor=${String(first.body.next)}`);
    expect([...rows(first), ...rows(second)].map(({ id }) => id)).toEqual(all);
    expect([first.body.has_more, second.body.has_more, all.length]).toEqual([true, false, 5]);
  });

  test.each([
    ["type=", "type"],
    [`type=${"a".repeat(65)}`, "type"],
    ["type=%00", "type"],
    ["message_id=evt_00000000000000000000000000", "message_id"],
    ["message_id=msg_", "message_id"],
    ["since=2026-05-01", "since"],
    ["until=now", "until"],
    ["limit=101", "limit"],
    ["event_type=email.sent", "event_type"],
  ])("is refused with ?%s, and the field is named", async (query, path) => {
    expect(refusal(await list(`?${query}`))).toEqual([422, "invalid_request", path]);
  });
});
