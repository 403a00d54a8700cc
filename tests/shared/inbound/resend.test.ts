import http from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { RawRequest } from "../../../shared/inbound/contract.ts";
import { resend } from "../../../shared/inbound/resend.ts";
import { newWebhookSecret } from "../../../shared/signature.ts";
import {
  json,
  type ResendAnswering,
  type ResendStandIn,
  startResend,
} from "../../support/resend-stand-in.ts";

const webhook_secret = newWebhookSecret();
const secrets = { credentials: { api_key: "re_test_key", webhook_secret }, inbound_secret: null };
const now = new Date("2025-01-02T03:04:05Z");

function posted(event: unknown, at = now): RawRequest {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  const signature = new Webhook(webhook_secret).sign("msg_svix_1", at, text);
  const headers = {
    "svix-id": "msg_svix_1",
    "svix-timestamp": String(at.getTime() / 1000),
    "svix-signature": signature,
  };
  return { headers, body: new TextEncoder().encode(text) };
}

const mail = {
  email_id: "56761188-7520-42d8-8898-ff6fc54ce618",
  message_id: "<0100019@eu-west-1.amazonses.com>",
  created_at: "2025-01-02T03:00:00.000Z",
  from: "Ada <ada@example.com>",
  to: ["Bob <Bob@EXAMPLE.net>"],
  subject: "Hi",
  tags: { mailpipe_id: "msg_1" },
};
const event = (type: string, more: object = {}) => ({
  type,
  created_at: "2025-01-02T03:04:00.123456+00:00",
  data: { ...mail, ...more },
});

describe("the signature", () => {
  test("holds through Svix' headers and names the event by svix-id, the same on every retry", () => {
    expect(resend.verify(posted(event("email.sent")), secrets, now)).toEqual({ event_key: "msg_svix_1" });
    const later = new Date(now.getTime() + 3_600_000);
    expect(resend.verify(posted(event("email.sent"), later), secrets, later)).toEqual({
      event_key: "msg_svix_1",
    });
  });

  test("holds through webhook-* headers, which newer deliveries use", () => {
    const { headers, body } = posted(event("email.sent"));
    const renamed = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name.replace("svix", "webhook"), value]),
    );
    expect(resend.verify({ headers: renamed, body }, secrets, now)).toEqual({ event_key: "msg_svix_1" });
  });

  test("fails for another body, an old time, another secret, and while no secret is stored", () => {
    const { headers, body } = posted(event("email.sent"));
    expect(resend.verify({ headers, body: body.slice(1) }, secrets, now)).toBeNull();
    expect(resend.verify({ headers, body }, secrets, new Date(now.getTime() + 301_000))).toBeNull();
    for (const other of [newWebhookSecret(), "", null, undefined, 5]) {
      expect(
        resend.verify({ headers, body }, {
          ...secrets,
          credentials: { api_key: "re", webhook_secret: other },
        }, now),
      ).toBeNull();
    }
  });
});

describe("events in our words", () => {
  test.each([
    ["email.sent", {}, "sent", {}],
    ["email.delivered", {}, "delivered", {}],
    ["email.delivery_delayed", {}, "deferred", {}],
    ["email.complained", {}, "complained", {}],
    ["email.opened", { open: { ipAddress: "192.0.2.1" } }, "opened", {}],
    [
      "email.bounced",
      {
        bounce: {
          type: "Permanent",
          subType: "NoEmail",
          message: "The mailbox\r\ndoes not exist.\0",
          diagnosticCode: ["smtp; 550 5.1.1"],
        },
      },
      "bounced",
      {
        bounce_type: "permanent",
        bounce_reason: "NoEmail",
        reason: "The mailbox does not exist.",
        diagnostics: ["smtp; 550 5.1.1"],
      },
    ],
    [
      "email.bounced",
      { bounce: { type: "Transient", subType: "MailboxFull", message: "Full", diagnosticCode: "one" } },
      "bounced",
      { bounce_type: "transient", bounce_reason: "MailboxFull", reason: "Full", diagnostics: ["one"] },
    ],
    ["email.failed", { failed: { reason: "reached_daily_quota" } }, "failed", {
      reason: "reached_daily_quota",
    }],
    [
      "email.suppressed",
      { suppressed: { type: "x", reason: "previous_bounce", message: "m", diagnosticCode: ["d"] } },
      "suppressed",
      { reason: "previous_bounce", diagnostics: ["d"] },
    ],
  ])("%s", async (name, more, type, detail) => {
    expect(await resend.interpret(posted(event(name, more)), secrets)).toEqual([{
      item: "event",
      type,
      provider_message_id: mail.email_id,
      recipient: "Bob@example.net",
      occurred_at: "2025-01-02T03:04:00.123Z",
      detail: { message_id: mail.message_id, ...detail },
    }]);
  });

  test("a click has its own time, link and client", async () => {
    const click = {
      ipAddress: "192.0.2.1",
      link: "https://x.test/?a=b",
      timestamp: "2025-01-02T03:03:03Z",
      userAgent: "Mozilla/5.0",
    };
    expect(await resend.interpret(posted(event("email.clicked", { click })), secrets)).toMatchObject([{
      type: "clicked",
      occurred_at: "2025-01-02T03:03:03.000Z",
      detail: { link: "https://x.test/?a=b", ip: "192.0.2.1", user_agent: "Mozilla/5.0" },
    }]);
  });

  test("whom it concerns is not guessed when Resend names several, or none", async () => {
    for (const to of [["a@b.test", "c@d.test"], [], undefined, "not an address", 5]) {
      expect(await resend.interpret(posted(event("email.bounced", { to })), secrets)).toMatchObject([{
        recipient: null,
      }]);
    }
  });

  test("a time that is none gives way to the signature's", async () => {
    const odd = { ...event("email.sent"), created_at: "yesterday" };
    expect(await resend.interpret(posted(odd), secrets)).toMatchObject([{
      occurred_at: "2025-01-02T03:04:05.000Z",
    }]);
  });

  test("what does not concern mail, is unknown, has no safe id or is no JSON is nothing", async () => {
    const nothing = [
      event("email.scheduled"),
      event("contact.created"),
      event("domain.updated"),
      event("constructor"),
      { type: "email.sent" },
      event("email.sent", { email_id: "../../keys" }),
      event("email.received", { email_id: "a/b" }),
      event("email.sent", { email_id: 5 }),
      null,
      [],
      "x",
      "{",
      "",
    ];
    for (const each of nothing) expect(await resend.interpret(posted(each), secrets)).toEqual([]);
  });

  test("what it adds is bounded", async () => {
    const bounce = {
      type: "Permanent",
      message: "x".repeat(1_000_000),
      diagnosticCode: Array.from({ length: 1000 }, () => "y".repeat(5000)),
    };
    const [item] = await resend.interpret(posted(event("email.bounced", { bounce })), secrets);
    expect(JSON.stringify(item).length).toBeLessThan(15_000);
  });
});

describe("a received mail", () => {
  const raw = Buffer.from("From: ada@example.com\r\nSubject: Gr\xfc\xdfe\r\n\r\nbody", "latin1");
  const receivedEvent = event("email.received", {
    to: ["Box <box@example.net>"],
    cc: ["cc@example.net"],
    bcc: [],
  });
  let standIn: ResendStandIn | undefined;
  let files: http.Server | undefined;

  beforeEach(() => {
    vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  });
  afterEach(async () => {
    await standIn?.close();
    files?.close();
    vi.unstubAllEnvs();
  });

  async function start(answer: ResendAnswering): Promise<ResendStandIn> {
    standIn = await startResend(answer);
    vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", standIn.url);
    return standIn;
  }

  async function serve(handler: http.RequestListener): Promise<string> {
    const server = files = http.createServer(handler);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/raw?signature=x`;
  }

  const record = (download_url: string, more = {}): ResendAnswering => (_, response) =>
    json(response, 200, {
      object: "email",
      id: mail.email_id,
      html: "<p>x</p>".repeat(500_000),
      raw: { download_url, expires_at: "2025-01-02T04:00:00Z" },
      ...more,
    });

  test("is fetched as raw bytes, with the addresses Resend took it in for", async () => {
    const url = await serve((_, response) => response.end(raw));
    const { calls } = await start(record(url, { received_for: ["Box@Example.net"] }));
    expect(await resend.interpret(posted(receivedEvent), secrets)).toEqual([
      { item: "mail", raw: new Uint8Array(raw), envelope_from: null, envelope_to: ["Box@example.net"] },
    ]);
    expect(calls).toMatchObject([{
      method: "GET",
      path: `/emails/receiving/${mail.email_id}?html_format=cid`,
      headers: { authorization: "Bearer re_test_key" },
    }]);
  });

  test("the key goes to Resend and not to the link", async () => {
    let seen = "";
    const url = await serve((request, response) => {
      seen = JSON.stringify(request.headers);
      response.end(raw);
    });
    await start(record(url));
    expect(await resend.interpret(posted(receivedEvent), secrets)).toMatchObject([{
      envelope_to: ["box@example.net", "cc@example.net"],
    }]);
    expect(seen).not.toContain("re_test_key");
  });

  test("a link to a private address is not followed", async () => {
    let connections = 0;
    const url = await serve(() => connections++);
    await start(record(url));
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    await expect(resend.interpret(posted(receivedEvent), secrets)).rejects.toThrow(
      "does not lead to a public address",
    );
    expect(connections).toBe(0);
  });

  test.each<[string, ResendAnswering, string]>([
    [
      "Resend does not know it yet",
      (_, response) => json(response, 404, { name: "not_found", message: "no" }),
      "Resend answered 404 not_found",
    ],
    [
      "the key may only send",
      (_, response) => json(response, 401, { name: "restricted_api_key", message: "no" }),
      "restricted_api_key",
    ],
    ["Resend is down", (_, response) => response.writeHead(503).end(), "Resend answered 503"],
    ["no link is there", (_, response) => json(response, 200, { raw: null }), "no link"],
    ["the answer is not JSON", (_, response) => response.end("<html>"), "no link"],
  ])("is tried again later when %s", async (_, answer, message) => {
    await start(answer);
    await expect(resend.interpret(posted(receivedEvent), secrets)).rejects.toThrow(message);
  });

  test("is tried again later when the link has expired", async () => {
    await start(record(await serve((_, response) => response.writeHead(403).end())));
    await expect(resend.interpret(posted(receivedEvent), secrets)).rejects.toThrow("link answered 403");
  });
});
