import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import mailboxes from "../../functions/mailboxes/index.ts";
import messages from "../../functions/messages/index.ts";
import receiveWebhook from "../../functions/receive-webhook/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { post, postMail, processAll } from "../support/inbound.ts";
import { keepLog } from "../support/log.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let connected: Connected;
let log: string[];

const mail = (subject: string, more = "") =>
  `From: Eve <eve@elsewhere.example>\r\nTo: hello@acme.example\r\nSubject: ${subject}\r\n${more}\r\nBody.\r\n`;

async function stored() {
  return await api.database.sql("postgres")`select id, event_key, storage_key from mailpipe.inbound_requests`;
}

/** How much there is of everything a request from outside could leave behind. */
async function counted(): Promise<unknown> {
  const [counts] = await api.database.sql("supabase_admin")`
    select
        (select count(*)::int from mailpipe.inbound_requests) as requests,
        (select count(*)::int from mailpipe.messages) as messages,
        (select count(*)::int from mailpipe.jobs) as jobs,
        (select count(*)::int from storage.objects) as objects
  `;
  return counts;
}

async function shown(id: unknown): Promise<Record<string, unknown>> {
  return (await ask(messages, `messages/${String(id)}`, { token: tenant.live })).body;
}

async function inbound(subject: string) {
  const list = await ask(messages, "messages?direction=inbound&limit=100", { token: tenant.live });
  return rows(list).filter((row) => row["subject"] === subject);
}

beforeAll(async () => {
  log = keepLog();
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  api = await startApi();
  tenant = await foundTenant(api);
  account = await startSmtpAccount();
  connected = await connect(tenant.live, "smtp", account.credentials);
  for (const address of ["hello@acme.example", "sales@acme.example"]) {
    await ask(mailboxes, "mailboxes", { token: tenant.live, body: { address } });
  }
});

afterAll(async () => {
  delete process.env["MAILPIPE_EGRESS_ALLOW"];
  await account?.close();
  await api?.close();
});

describe("promise 3: a 2xx to a provider's webhook means its raw bytes are stored", () => {
  test("under their hash, before anybody has looked into them", async () => {
    const answer = await postMail(connected, mail("raw"), { id: "evt-raw", to: "hello@acme.example" });
    expect(answer.status, answer.text).toBe(200);
    const [row] = (await stored()).filter(({ event_key }) => event_key === "evt-raw");
    expect(row?.["id"]).toBe(answer.body["id"]);
    const [object] = await api.database.sql("supabase_admin")`
      select metadata from storage.objects where name = ${row?.["storage_key"]}
    `;
    expect(object).toBeDefined();
  });

  test("once, however often the provider sends it again", async () => {
    const again = { id: "evt-again", to: "hello@acme.example" };
    const first = await postMail(connected, mail("again"), again);
    const second = await postMail(connected, mail("again"), again);
    expect(second.body).toEqual(first.body);
    await processAll(api);
    expect(await inbound("again")).toHaveLength(1);
  });

  test("so other bytes under the same name are a conflict, and not a 2xx", async () => {
    const again = { id: "evt-other", to: "hello@acme.example" };
    await postMail(connected, mail("one"), again);
    expect(refusal(await postMail(connected, mail("two"), again))).toEqual([409, "event_reused"]);
  });
});

describe("a mail", () => {
  test("goes to the mailbox its envelope names, and to no other", async () => {
    await postMail(connected, mail("envelope"), { id: "evt-envelope", to: "SALES@acme.example" });
    await processAll(api);
    const arrived = await inbound("envelope");
    expect(arrived).toHaveLength(1);
    const box = await ask(mailboxes, `mailboxes/${arrived[0]?.["mailbox_id"]}`, { token: tenant.live });
    expect(box.body["address"]).toBe("sales@acme.example");
  });

  test("to no mailbox is kept, once, with none", async () => {
    await postMail(connected, mail("nobody"), { id: "evt-nobody", to: "nobody@acme.example" });
    await processAll(api);
    expect(await inbound("nobody")).toMatchObject([{ mailbox_id: null }]);
  });

  test("to two mailboxes is in both", async () => {
    const to = "hello@acme.example, sales@acme.example";
    await postMail(connected, mail("both"), { id: "evt-both", to });
    await processAll(api);
    expect(new Set((await inbound("both")).map((row) => row["mailbox_id"])).size).toBe(2);
  });
});

describe("a request that is not the provider's stores nothing", () => {
  const forged = { id: "evt-forged", secret: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };

  test.each<[string, () => Promise<{ status: number; body: Record<string, unknown> }>]>([
    ["signed with another secret", () => post(connected, mail("forged"), forged)],
    ["signed six minutes ago", () => {
      const at = new Date(Date.now() - 360_000);
      return post(connected, mail("forged"), { id: "evt-forged", secret: connected.inbound_secret, at });
    }],
    ["at a token that is nobody's", () => {
      const elsewhere = { ...connected, inbound_url: `${connected.inbound_url}x` };
      return postMail(elsewhere, mail("forged"), { id: "evt-forged", to: "hello@acme.example" });
    }],
    ["of a kind the connection is not", () => {
      const elsewhere = { ...connected, inbound_url: connected.inbound_url.replace("/mime/", "/resend/") };
      return post(elsewhere, "{}", { id: "evt-forged", secret: connected.inbound_secret });
    }],
  ])("%s", async (_, request) => {
    const answer = await request();
    expect([answer.status, answer.body["code"]]).toEqual([401, "invalid_credential"]);
    expect((await stored()).filter(({ event_key }) => event_key === "evt-forged")).toEqual([]);
  });

  test("of a content type that is no mail", async () => {
    const headers = { "content-type": "text/plain" };
    const secret = connected.inbound_secret;
    const answer = await post(connected, mail("forged"), { id: "evt-forged", secret, headers });
    expect(refusal(answer)).toEqual([415, "unsupported_media_type"]);
  });
});

describe("a mail's bytes", () => {
  test("come back as they came, and its parts as they were meant", async () => {
    const raw = [
      "From: =?utf-8?q?G=C3=BCnter?= <eve@elsewhere.example>",
      "To: Inbox <hello@acme.example>",
      "Subject: =?utf-8?b?5ryi5a2X?=",
      "Message-ID: <one@elsewhere.example>",
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain; charset=iso-8859-1",
      "Content-Transfer-Encoding: 8bit",
      "",
      "Gr\u00fc\u00dfe",
      "--b",
      'Content-Type: application/pdf; name="a.pdf"',
      "Content-Transfer-Encoding: base64",
      'Content-Disposition: attachment; filename="a.pdf"',
      "",
      "JVBERi0x",
      "--b--",
      "",
    ].join("\r\n");
    const bytes = Buffer.from(raw, "latin1");
    await postMail(connected, bytes, { id: "evt-bytes", to: "hello@acme.example" });
    await processAll(api);
    const [{ id } = { id: "" }] = await inbound("漢字");
    const message = await shown(id);
    expect(message).toMatchObject({
      direction: "inbound",
      status: "received",
      from: "Günter <eve@elsewhere.example>",
      to: ["Inbox <hello@acme.example>"],
      text: expect.stringContaining("Grüße") as string,
      message_id: "one@elsewhere.example",
      read: false,
      has_attachments: true,
    });
    const back = Buffer.from(await (await fetch(String(message["raw_url"]))).arrayBuffer());
    expect(back.equals(bytes)).toBe(true);
    const [file] = message["attachments"] as { url: string; filename: string; content_type: string }[];
    expect(file).toMatchObject({ filename: "a.pdf", content_type: "application/pdf" });
    expect(await (await fetch(file?.url ?? "")).text()).toBe("%PDF-1");
  });

  test.each<[string, string | Uint8Array]>([
    ["no mail at all", new Uint8Array([0, 255, 10, 13, 0])],
    ["an empty line", "\r\n"],
    ["without a header it needs", "X: y\r\n\r\nbody"],
    [
      "half a multipart",
      mail("Half", 'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Ty'),
    ],
    ["a header with NUL", mail("a\0b")],
    ["half a character", mail("=?utf-16be?b?2D0=?=")],
    [
      "a thousand parts",
      mail("Parts", `Content-Type: multipart/mixed; boundary="b"\r\n\r\n${"--b\r\n\r\nx\r\n".repeat(1000)}`),
    ],
    ["a subject of 100 KB", mail("s".repeat(100_000))],
  ])("are kept even when they are %s, and make a message", async (what, raw) => {
    const { messages: before } = await counted() as { messages: number };
    expect(
      (await postMail(connected, raw, { id: `evt-${what.replaceAll(" ", "-")}`, to: "hello@acme.example" }))
        .status,
    ).toBe(200);
    expect(await processAll(api)).toBe(1);
    expect(await counted()).toMatchObject({ messages: before + 1, jobs: 0 });
    const [latest] = rows(await ask(messages, "messages?direction=inbound&limit=1", { token: tenant.live }));
    const { raw_url } = await shown(latest?.["id"]);
    const back = Buffer.from(await (await fetch(String(raw_url))).arrayBuffer());
    expect(back.equals(Buffer.from(raw as string))).toBe(true);
  });
});

describe("what a mail says of itself", () => {
  test("leads it to no other mailbox: only the envelope does", async () => {
    const headers = "X-Mailpipe-Envelope-To: sales@acme.example\r\nCc: sales@acme.example\r\n";
    await postMail(connected, mail("claims", headers), { id: "evt-claims", to: "hello@acme.example" });
    await processAll(api);
    expect(await inbound("claims")).toHaveLength(1);
  });

  test("leads it into no other tenant's thread", async () => {
    const other = await foundTenant(api, "cited");
    const theirs = await connect(other.live, "smtp", account.credentials);
    await postMail(connected, mail("secret plan", "Message-ID: <plan@acme.example>\r\n"), {
      id: "evt-plan",
      to: "hello@acme.example",
    });
    await postMail(theirs, mail("Re: secret plan", "In-Reply-To: <plan@acme.example>\r\n"), {
      id: "evt-plan",
      to: "hello@acme.example",
    });
    expect(await processAll(api)).toBe(2);
    const [ours] = await inbound("secret plan");
    const [their] = rows(await ask(messages, "messages", { token: other.live }));
    expect(their).toMatchObject({ subject: "Re: secret plan", mailbox_id: null });
    expect(their?.["thread_id"]).not.toBe(ours?.["thread_id"]);
  });

  test("is announced to a webhook only where its mailbox forwards", async () => {
    const body = { url: "https://8.8.8.8/", events: ["email.received"] };
    expect((await ask(webhooks, "webhooks", { token: tenant.live, body })).status).toBe(201);
    const quiet = { address: "quiet@acme.example", forward_to_webhook: false };
    await ask(mailboxes, "mailboxes", { token: tenant.live, body: quiet });
    const delivered = async (to: string) => {
      await postMail(connected, mail(to), { id: `evt-${to}`, to });
      await processAll(api);
      const [row] = await api.database.sql("postgres")`
        select count(*)::int as deliveries
        from mailpipe.deliveries as delivery
        join mailpipe.events as event on event.id = delivery.event_id
        where event.data ->> 'subject' = ${to}
      `;
      return row?.["deliveries"] as number;
    };
    expect(await delivered("quiet@acme.example")).toBe(0);
    expect(await delivered("hello@acme.example")).toBe(1);
    expect(await delivered("nobody@acme.example")).toBe(1);
  });
});

describe("the signature", () => {
  const raw = mail("signed");
  const type = { "content-type": "message/rfc822" };
  const path = () => new URL(connected.inbound_url).pathname.replace("/functions/v1/", "");

  test("may come from the standardwebhooks library", async () => {
    const now = new Date();
    const headers = {
      ...type,
      "webhook-id": "evt-library",
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": new Webhook(connected.inbound_secret).sign("evt-library", now, raw),
    };
    expect((await ask(receiveWebhook, path(), { raw, headers })).status).toBe(200);
    await processAll(api);
  });

  test("covers id, time and body, and is asked for whatever else was sent: 401 and nothing stored", async () => {
    const before = await counted();
    const { inbound_secret: secret } = connected;
    const at = new Date(Date.now() + 360_000);
    const other = await connect(tenant.live, "smtp", account.credentials);
    const tries = [
      post(connected, raw, { id: "evt-f", secret, headers: { "webhook-id": "evt-g" } }),
      post(connected, raw, { id: "evt-f", secret, headers: { "webhook-timestamp": "1" } }),
      post(connected, raw, { id: "evt-f", secret, headers: { "webhook-signature": "v1,AAAA" } }),
      post(connected, raw, { id: "evt-f", secret, headers: { "webhook-signature": "" } }),
      post(connected, raw, { id: "evt-f", secret, at }),
      post(other, raw, { id: "evt-f", secret }),
      ask(receiveWebhook, path(), { raw, headers: type }),
      ask(receiveWebhook, path(), { raw, headers: type, token: tenant.live }),
      ask(receiveWebhook, path(), { raw, headers: type, token: api.secretKey }),
    ];
    for (const answer of await Promise.all(tries)) {
      expect(refusal(answer)).toEqual([401, "invalid_credential"]);
    }
    expect(await counted()).toEqual(before);
  });

  test("of five retries at once stores one request", async () => {
    const { requests: before } = await counted() as { requests: number };
    const again = { id: "evt-five", to: "hello@acme.example" };
    const answers = await Promise.all(Array.from({ length: 5 }, () => postMail(connected, raw, again)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body["id"])).size).toBe(1);
    expect(await counted()).toMatchObject({ requests: before + 1 });
    expect(await processAll(api)).toBe(1);
  });

  test.each(["smtp", "pigeon", "toString", "__proto__"])("has no kind %s to be of", async (kind) => {
    const inbound_url = connected.inbound_url.replace("/mime/", `/${kind}/`);
    const answer = await post({ ...connected, inbound_url }, raw, {
      id: "evt-k",
      secret: connected.inbound_secret,
    });
    expect(refusal(answer)).toEqual([404, "not_found"]);
  });

  test("leaves no token, no secret and no mail in the log", () => {
    const leaks = [
      connected.inbound_url.split("/").at(-1) ?? "",
      connected.inbound_secret,
      "eve@elsewhere.example",
    ];
    expect(log.length).toBeGreaterThan(20);
    expect(leaks.filter((leak) => log.some((line) => line.includes(leak)))).toEqual([]);
  });
});
