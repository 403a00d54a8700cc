import { createHmac, timingSafeEqual } from "node:crypto";
import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import dispatchWebhooks from "../../functions/dispatch-webhooks/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
}

let api: Api;
let tenant: Tenant;
let tenants = 0;
let receiver: http.Server;
let base: string;
let connections = 0;
let answering: (received: Received, response: ServerResponse) => void;
const received: Received[] = [];

beforeAll(async () => {
  keepLog();
  api = await startApi();
  receiver = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const one = { path: request.url ?? "", headers: request.headers as Record<string, string>, body };
      received.push(one);
      answering(one, response);
    });
  });
  receiver.on("connection", () => void connections++);
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  await api.database.setClock(new Date().toISOString());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await api.close();
});
beforeEach(async () => {
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  answering = (_, response) => void response.writeHead(200).end("thanks");
  received.length = 0;
  tenant = await foundTenant(api, `acme${tenants++}`);
  await api.database.sql("postgres")`delete from mailpipe.jobs`;
});

const mail = {
  from: "a@s.example",
  to: ["b@r.example"],
  subject: 'Grüße \u2028 "q"',
  text: "t",
  metadata: { n: "1" },
};

async function subscribe(
  path = "/hook",
  events: string[] = ["email.queued"],
  token = tenant.test,
): Promise<{ id: string; secret: string }> {
  const answer = await ask(webhooks, "webhooks", { token, body: { url: base + path, events } });
  expect(answer.status, answer.text).toBe(201);
  return { id: String(answer.body.id), secret: String(answer.body.secret) };
}

async function emit(token = tenant.test): Promise<string> {
  const body = { ...mail, subject: "Grüße 漢字" };
  const answer = await ask(sendMail, "send-mail", { token, body });
  expect(answer.status, answer.text).toBe(202);
  return String(answer.body.id);
}

const secretKey = () => ({ apikey: api.secretKey });
const dispatch = async () =>
  Number((await ask(dispatchWebhooks, "dispatch-webhooks", { headers: secretKey(), body: {} })).body.done);
const deliveries = async () => [
  ...await api.database.sql("postgres")<
    { state: string; attempts: number; outcome: string; detail: string | null }[]
  >`
    select delivery.state, delivery.attempts, attempt.outcome, attempt.detail
    from mailpipe.deliveries as delivery
    left join mailpipe.attempts as attempt on attempt.delivery_id = delivery.id
    where delivery.organization_id = ${tenant.organization_id}
    order by delivery.id, attempt.fence
  `,
];
const enabled = async () =>
  rows(await ask(webhooks, "webhooks", { token: tenant.test })).map((row) => row.enabled);

/** The sample of Mailpipe's security page, word for word in what it does. */
function verifiedAsDocumented({ headers, body }: Received, secret: string): boolean {
  const payload = JSON.stringify(JSON.parse(body));
  const expected = createHmac("sha256", secret).update(payload).digest("hex");
  return timingSafeEqual(Buffer.from(headers["x-mailpipe-signature"] ?? ""), Buffer.from(expected));
}

describe("dispatch-webhooks", () => {
  test("delivers an event its receiver can verify both ways", async () => {
    const { secret } = await subscribe();
    const id = await emit();
    expect(await dispatch()).toBe(1);
    const [one, ...more] = received;
    expect(more).toEqual([]);
    if (one === undefined) throw new Error("nothing arrived");
    expect(verifiedAsDocumented(one, secret)).toBe(true);
    const event = new Webhook(secret).verify(one.body, one.headers) as Record<string, unknown>;
    expect(Object.keys(event)).toEqual(["id", "type", "created_at", "data"]);
    expect(event).toMatchObject({ type: "email.queued", data: { message_id: id, subject: "Grüße 漢字" } });
    expect(one.headers).toMatchObject({ "content-type": "application/json", "webhook-id": event.id });
    expect(await deliveries()).toMatchObject([{ state: "succeeded", attempts: 1, outcome: "succeeded" }]);
    expect(await dispatch()).toBe(0);
  });

  test("signs with the endpoint's own secret: another's does not verify", async () => {
    const [first, second] = [await subscribe("/one"), await subscribe("/two")];
    await emit();
    await dispatch();
    const byPath = (path: string) => received.find((one) => one.path === path) as Received;
    expect(verifiedAsDocumented(byPath("/one"), first.secret)).toBe(true);
    expect(verifiedAsDocumented(byPath("/one"), second.secret)).toBe(false);
    expect(verifiedAsDocumented(byPath("/two"), second.secret)).toBe(true);
    expect(byPath("/one").body).toBe(byPath("/two").body);
  });

  test("sends the same bytes under the same id on every try, no sooner than scheduled", async () => {
    await subscribe();
    await emit();
    answering = (_, response) => void response.writeHead(404).end("broken");
    expect(await dispatch()).toBe(1);
    expect(await deliveries()).toMatchObject([{
      state: "pending",
      attempts: 1,
      outcome: "http_error",
      detail: null,
    }]);
    await api.database.advanceClock("4.9 seconds");
    expect(await dispatch()).toBe(0);
    await api.database.advanceClock("1.2 seconds");
    answering = (_, response) => void response.writeHead(204).end();
    expect(await dispatch()).toBe(1);
    const [first, second] = received;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
    expect(second?.headers["x-mailpipe-signature"]).toBe(first?.headers["x-mailpipe-signature"]);
    expect((await deliveries()).map(({ state }) => state)).toEqual(["succeeded", "succeeded"]);
  });

  test("waits as long as the receiver asked", async () => {
    await subscribe();
    await emit();
    answering = (_, response) => void response.writeHead(503, { "retry-after": "600" }).end();
    await dispatch();
    await api.database.advanceClock("599 seconds");
    expect(await dispatch()).toBe(0);
    await api.database.advanceClock("122 seconds");
    expect(await dispatch()).toBe(1);
  });

  test("gives up after the eleventh try, and says failed", async () => {
    await subscribe();
    await emit();
    answering = (_, response) => void response.writeHead(500).end();
    for (let tries = 0; tries < 14; tries++) {
      await dispatch();
      await api.database.advanceClock("29 hours");
    }
    expect(received).toHaveLength(11);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect((await deliveries()).at(-1)).toMatchObject({ state: "failed", attempts: 11 });
    expect(await enabled()).toEqual([true]);
  });

  test("disables an endpoint that is gone (410), and neither retries nor adds to it", async () => {
    await subscribe();
    await emit();
    await emit();
    answering = (_, response) => void response.writeHead(410).end();
    await dispatch();
    expect(await enabled()).toEqual([false]);
    await emit();
    await api.database.advanceClock("2 days");
    await dispatch();
    expect(received.length).toBeLessThanOrEqual(2);
    expect(new Set((await deliveries()).map(({ state }) => state))).toEqual(new Set(["failed"]));
    expect(await deliveries()).toHaveLength(2);
  });

  test("follows no redirect", async () => {
    await subscribe();
    await emit();
    answering = (_, response) => void response.writeHead(302, { location: `${base}/elsewhere` }).end();
    await dispatch();
    expect(received.map(({ path }) => path)).toEqual(["/hook"]);
    expect(await deliveries()).toMatchObject([{ state: "pending", outcome: "redirect" }]);
  });

  test("keeps nothing of an answer from an address the operator opened, however long it is", async () => {
    await subscribe();
    await emit();
    answering = (_, response) => void response.writeHead(500).end("x\0".repeat(200_000));
    expect(await dispatch()).toBe(1);
    expect(await deliveries()).toMatchObject([{ state: "pending", outcome: "http_error", detail: null }]);
  });

  test("makes no connection to a loopback address once the operator closed it", async () => {
    await subscribe();
    await emit();
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    const before = connections;
    expect(await dispatch()).toBe(1);
    expect(connections).toBe(before);
    expect(await deliveries()).toMatchObject([{ state: "pending", outcome: "private_address" }]);
    const refused = await ask(webhooks, "webhooks", {
      token: tenant.test,
      body: { url: base, events: ["*"] },
    });
    expect(refusal(refused)).toEqual([422, "invalid_request", "url"]);
    expect(connections).toBe(before);
  });

  test("tells an endpoint what it subscribed to, and nothing else", async () => {
    await subscribe("/delivered", ["email.delivered"]);
    await subscribe("/all", ["*"]);
    await emit();
    await ask(deliverMail, "deliver-mail", { headers: secretKey(), body: {} });
    await dispatch();
    const told = (path: string) =>
      received.filter((one) => one.path === path).map(({ body }) =>
        (JSON.parse(body) as { type: string }).type
      );
    expect(told("/delivered")).toEqual(["email.delivered"]);
    expect(told("/all").sort()).toEqual(["email.delivered", "email.queued", "email.sent"]);
  });

  test("tells neither a live endpoint of test mail nor another tenant", async () => {
    await subscribe("/live", ["*"], tenant.live);
    const other = await foundTenant(api, `other${tenants}`);
    await subscribe("/other", ["*"], other.test);
    await emit();
    expect(await dispatch()).toBe(0);
    expect(received).toEqual([]);
  });

  test("delivers each event once though four workers wake at once", async () => {
    await subscribe();
    for (let count = 0; count < 12; count++) await emit();
    const done = await Promise.all([dispatch(), dispatch(), dispatch(), dispatch()]);
    expect(done.reduce((sum, each) => sum + each, 0)).toBe(12);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(12);
    expect(received).toHaveLength(12);
  });

  test("lets no dead endpoint's retries hold up a first try", async () => {
    await subscribe("/dead");
    answering = (_, response) => void response.writeHead(500).end();
    for (let count = 0; count < 20; count++) await emit();
    await dispatch();
    await api.database.advanceClock("7 seconds");
    const { id } = await subscribe("/alive");
    await emit();
    received.length = 0;
    answering = ({ path }, response) => void response.writeHead(path === "/dead" ? 500 : 200).end();
    await dispatch();
    const place = received.findIndex(({ path }) => path === "/alive");
    expect(place).toBeGreaterThanOrEqual(0);
    expect(place, id).toBeLessThan(32);
  });

  test("delivers again after a worker died holding the event: at least once", async () => {
    await subscribe();
    await emit();
    await api.database.sql("postgres")`
      update mailpipe.jobs
      set fence = fence + 1, attempts = attempts + 1,
          lease_until = mailpipe.clock() + interval '60 seconds', due_at = mailpipe.clock() + interval '60 seconds'
      where kind = 'dispatch_delivery'
    `;
    expect(await dispatch()).toBe(0);
    await api.database.advanceClock("60 seconds");
    expect(await dispatch()).toBe(1);
    expect(received).toHaveLength(1);
  });
});
