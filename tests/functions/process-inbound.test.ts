import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import mailboxes from "../../functions/mailboxes/index.ts";
import messages from "../../functions/messages/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import deliverMail from "../../functions/deliver-mail/index.ts";
import { call } from "../../shared/database.ts";
import { removeStored, storeBytes } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, rows } from "../support/ask.ts";
import { post, postMail, processAll } from "../support/inbound.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendAnswering, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

const svixSecret = `whsec_${Buffer.from("a secret of thirty-two bytes....").toString("base64")}`;

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let smtp: Connected;
let resend: Connected;
let standIn: ResendStandIn;
/** What Resend says when it is asked for a mail it received. */
let handingOver: ResendAnswering;
let posts = 0;

async function shown(id: unknown) {
  return (await ask(messages, `messages/${id}`, { token: tenant.live })).body;
}

async function send(subject: string, provider_id: string) {
  const mail = { from: "hello@acme.example", to: ["eve@elsewhere.example"], subject, text: "t", provider_id };
  const { body } = await ask(sendMail, "send-mail", { token: tenant.live, body: mail });
  return body["id"];
}

async function deliverAll() {
  await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} });
}

async function tell(type: string, email_id: string, id: string, data: Record<string, unknown> = {}) {
  const created_at = "2026-11-23T10:00:00.000Z";
  const event = {
    type,
    created_at,
    data: {
      email_id,
      created_at,
      from: "hello@acme.example",
      to: ["eve@elsewhere.example"],
      subject: "s",
      ...data,
    },
  };
  const answer = await post(resend, JSON.stringify(event), { id, secret: svixSecret });
  expect(answer.status, answer.text).toBe(200);
  await processAll(api);
}

beforeAll(async () => {
  keepLog();
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  standIn = await startResend((request, response) => {
    const { method, path, headers } = request;
    if (path.startsWith("/emails/receiving/")) return handingOver(request, response);
    json(
      response,
      200,
      method === "POST" ? { id: `re-${headers["idempotency-key"]?.slice(4)}` } : { data: [] },
    );
  });
  process.env["MAILPIPE_PROVIDER_URL_RESEND"] = standIn.url;
  api = await startApi();
  tenant = await foundTenant(api);
  account = await startSmtpAccount();
  smtp = await connect(tenant.live, "smtp", account.credentials);
  resend = await connect(tenant.live, "resend", { api_key: "re_of_a_stand_in", webhook_secret: svixSecret });
  await ask(mailboxes, "mailboxes", { token: tenant.live, body: { address: "hello@acme.example" } });
});

afterAll(async () => {
  delete process.env["MAILPIPE_EGRESS_ALLOW"];
  delete process.env["MAILPIPE_PROVIDER_URL_RESEND"];
  await standIn?.close();
  await account?.close();
  await api?.close();
});

describe("a reply", () => {
  test("joins the thread of the mail it cites, with its file, and is announced with nine fields", async () => {
    const sent = await shown(await send("Offer", smtp.id));
    const raw = [
      "From: Eve <eve@elsewhere.example>",
      "To: hello@acme.example",
      "Subject: =?UTF-8?Q?Re:_Gr=C3=BC=C3=9Fe?=",
      `In-Reply-To: <${sent["message_id"]}>`,
      "MIME-Version: 1.0",
      'Content-Type: multipart/mixed; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      "Thank you.",
      "--b",
      'Content-Type: text/plain; name="a.txt"',
      "Content-Disposition: attachment; filename=a.txt",
      "",
      "hello",
      "--b--",
      "",
    ].join("\r\n");
    await postMail(smtp, raw, { id: "reply", to: "hello@acme.example" });
    expect(await processAll(api)).toBe(1);

    const list = await ask(messages, `messages?thread_id=${sent["thread_id"]}`, { token: tenant.live });
    const arrived = rows(list).find((row) => row["direction"] === "inbound");
    expect(arrived).toMatchObject({ subject: "Re: Grüße", snippet: "Thank you.", has_attachments: true });
    const { events, attachments } = await shown(arrived?.["id"]) as {
      events: { type: string; data: Record<string, unknown> }[];
      attachments: { filename: string; url: string }[];
    };
    expect(events.map(({ type }) => type)).toEqual(["email.received"]);
    expect(Object.keys(events[0]?.data ?? {}).sort()).toEqual([
      "from",
      "has_attachments",
      "mailbox_email",
      "mailbox_id",
      "message_id",
      "received_at",
      "snippet",
      "subject",
      "to",
    ]);
    expect(attachments[0]?.filename).toBe("a.txt");
    expect((await (await fetch(attachments[0]?.url ?? "")).text()).trim()).toBe("hello");
  });
});

describe("an event of a provider", () => {
  test("raises the state of its message, and a late one never lowers it", async () => {
    const id = await send("States", resend.id);
    await deliverAll();
    const email = `re-${String(id).slice(4)}`;
    await tell("email.bounced", email, "bounce", { bounce: { type: "Permanent", message: "no such user" } });
    expect(await shown(id)).toMatchObject({ status: "bounced" });
    await tell("email.delivered", email, "delivered-late");
    expect(await shown(id)).toMatchObject({ status: "bounced" });
  });

  test("that comes before its message is known is joined when it is", async () => {
    const id = await send("Early", resend.id);
    await tell("email.delivered", `re-${String(id).slice(4)}`, "early");
    expect(await shown(id)).toMatchObject({ status: "queued" });
    await deliverAll();
    expect(await shown(id)).toMatchObject({ status: "delivered" });
  });

  test("changes no message that went out through another connection", async () => {
    const id = await send("Other", smtp.id);
    await api.database.sql("postgres")`update mailpipe.messages set provider_message_id = 're-x' where id = ${
      String(id)
    }`;
    await tell("email.bounced", "re-x", "foreign");
    expect(await shown(id)).toMatchObject({ status: "queued" });
  });
});

describe("every event of a provider", () => {
  const events = async (id: unknown) =>
    (await shown(id))["events"] as { type: string; data: Record<string, unknown> }[];

  async function sent(changes: object = {}): Promise<{ id: unknown; email: string }> {
    const to = ["eve@elsewhere.example"];
    const mail = {
      from: "hello@acme.example",
      to,
      subject: "s",
      text: "t",
      provider_id: resend.id,
      ...changes,
    };
    const { body } = await ask(sendMail, "send-mail", { token: tenant.live, body: mail });
    await deliverAll();
    return { id: body["id"], email: `re-${String(body["id"]).slice(4)}` };
  }

  test("never lowers a state, in whatever order they come", async () => {
    const { id, email } = await sent();
    for (const type of ["complained", "bounced", "delivered", "delivery_delayed", "sent"]) {
      await tell(`email.${type}`, email, `order-${type}`);
      expect(await shown(id)).toMatchObject({ status: "complained" });
    }
    expect((await events(id)).map(({ type }) => type).slice(2)).toEqual([
      "email.complained",
      "email.bounced",
      "email.delivered",
      "email.deferred",
      "email.sent",
    ]);
  });

  test("is told with what the provider added and its own time", async () => {
    const { id, email } = await sent();
    const bounce = { type: "Permanent", subType: "General", message: "no such user" };
    await tell("email.bounced", email, "told", { bounce });
    expect((await events(id)).at(-1)).toMatchObject({
      type: "email.bounced",
      data: {
        message_id: id,
        recipients: ["eve@elsewhere.example"],
        occurred_at: "2026-11-23T10:00:00.000Z",
        detail: { bounce_type: "permanent", bounce_reason: "General", reason: "no such user" },
      },
    });
    expect((await shown(id))["recipients"]).toMatchObject([{ status: "bounced", reason: "no such user" }]);
  });

  test("that somebody opened or clicked is told, and changes no state", async () => {
    const { id, email } = await sent();
    await tell("email.opened", email, "opened");
    await tell("email.clicked", email, "clicked", { click: { link: "https://x.example/" } });
    expect(await shown(id)).toMatchObject({ status: "sent" });
    expect((await events(id)).map(({ type }) => type).slice(2)).toEqual(["email.opened", "email.clicked"]);
  });

  test("that does not say whom of several it means is told, and guesses no state", async () => {
    const to = ["eve@elsewhere.example", "bob@elsewhere.example"];
    const { id, email } = await sent({ to });
    await tell("email.delivered", email, "several", { to });
    expect(await shown(id)).toMatchObject({ status: "sent" });
    expect((await events(id)).at(-1)).toMatchObject({ type: "email.delivered", data: { recipients: [] } });
  });

  test("about one of several raises that one, and the message is mixed", async () => {
    const { id, email } = await sent({ to: ["eve@elsewhere.example", "bob@elsewhere.example"] });
    await tell("email.bounced", email, "one-of-two", { to: ["BOB@elsewhere.example"] });
    const { status, recipients } = await shown(id);
    expect(status).toBe("mixed");
    expect((recipients as { status: string }[]).map((each) => each.status)).toEqual(["sent", "bounced"]);
  });

  test("counts once, however often it is posted", async () => {
    const { id, email } = await sent();
    for (let count = 0; count < 3; count++) await tell("email.delivered", email, "thrice");
    expect((await events(id)).map(({ type }) => type)).toEqual([
      "email.queued",
      "email.sent",
      "email.delivered",
    ]);
  });

  test("teaches the Message-ID Resend put in place of ours, so that a reply finds its thread", async () => {
    const { id, email } = await sent();
    await tell("email.delivered", email, "rewritten", { message_id: "<rewritten@resend.example>" });
    const raw = "From: e@x.example\r\nSubject: Other\r\nIn-Reply-To: <rewritten@resend.example>\r\n\r\nHi";
    await postMail(smtp, raw, { id: "cites", to: "hello@acme.example" });
    await processAll(api);
    const { thread_id } = await shown(id);
    const list = await ask(messages, `messages?thread_id=${String(thread_id)}`, { token: tenant.live });
    expect(rows(list).map(({ subject }) => subject)).toEqual(["Other", "s"]);
  });

  test.each<[string, string]>([
    ["no JSON", "nothing"],
    ["null", "null"],
    ["a list", "[]"],
    ["an event we have no word for", JSON.stringify({ type: "email.exploded", data: { email_id: "re-1" } })],
    ["an event of something else", JSON.stringify({ type: "contact.created", data: { id: "x" } })],
    [
      "an id that would leave its URL",
      JSON.stringify({ type: "email.received", data: { email_id: "../emails" } }),
    ],
    ["an id that is a number", JSON.stringify({ type: "email.sent", data: { email_id: 1 } })],
  ])("that is %s is kept, and changes nothing", async (what, body) => {
    const calls = standIn.calls.length;
    const count = () => api.database.sql("postgres")`select count(*) from mailpipe.events`;
    const before = await count();
    expect((await post(resend, body, { id: `odd-${what.replaceAll(" ", "-")}`, secret: svixSecret })).status)
      .toBe(200);
    expect(await processAll(api)).toBe(1);
    expect(await count()).toEqual(before);
    expect(standIn.calls.length).toBe(calls);
  });
});

describe("a mail Resend received", () => {
  test("is fetched whole and laid into its mailbox", async () => {
    const raw = "From: eve@elsewhere.example\r\nSubject: By Resend\r\n\r\nHello";
    const bytes = http.createServer((_, response) => response.end(raw));
    await new Promise<void>((resolve) => bytes.listen(0, "127.0.0.1", resolve));
    const download_url = `http://127.0.0.1:${(bytes.address() as AddressInfo).port}/raw?signature=s`;
    handingOver = (_, response) =>
      json(response, 200, { raw: { download_url }, received_for: ["hello@acme.example"] });
    await tell("email.received", "in_1", "arrived");
    bytes.closeAllConnections();
    await new Promise((resolve) => bytes.close(resolve));
    const [arrived] = rows(await ask(messages, "messages?direction=inbound&limit=1", { token: tenant.live }));
    expect(arrived).toMatchObject({ subject: "By Resend", provider_id: resend.id });
    expect(arrived?.["mailbox_id"]).not.toBeNull();
    expect(await (await fetch(String((await shown(arrived?.["id"]))["raw_url"]))).text()).toBe(raw);
  });
});

describe("process-inbound", () => {
  const worker = { project_secret: true } as const;
  const raw = "From: eve@elsewhere.example\r\nTo: hello@acme.example\r\nSubject: Hi\r\n\r\nHello";

  beforeAll(() => api.database.setClock(new Date().toISOString()));
  beforeEach(async () => void await api.database.sql("postgres")`delete from mailpipe.jobs`);

  async function posted(connected = smtp): Promise<string> {
    const answer = await postMail(connected, raw, { id: `post-${posts++}`, to: "hello@acme.example" });
    expect(answer.status, answer.text).toBe(200);
    return String(answer.body["id"]);
  }

  async function announced(): Promise<string> {
    const event = JSON.stringify({ type: "email.received", data: { email_id: "in_2" } });
    const answer = await post(resend, event, { id: `post-${posts++}`, secret: svixSecret });
    expect(answer.status, answer.text).toBe(200);
    return String(answer.body["id"]);
  }

  async function request(id: string) {
    const [row] = await api.database.sql("postgres")<{ failure: string | null; processed: boolean }[]>`
      select failure, processed_at is not null as processed from mailpipe.inbound_requests where id = ${id}
    `;
    return row;
  }

  async function received(): Promise<number> {
    const [row] = await api.database.sql("postgres")<{ received: number }[]>`
      select count(*)::int as received from mailpipe.messages where direction = 'inbound'
    `;
    return row?.received ?? -1;
  }

  test("works on each request once though four workers wake at once", async () => {
    const before = await received();
    for (let count = 0; count < 10; count++) await posted();
    const done = await Promise.all([processAll(api), processAll(api), processAll(api), processAll(api)]);
    expect(done.reduce((sum, each) => sum + each, 0)).toBe(10);
    expect(await received()).toBe(before + 10);
  });

  test("tries again when the provider cannot hand the mail over now, no sooner than scheduled", async () => {
    const id = await announced();
    handingOver = (_, response) => json(response, 500, { name: "internal_server_error", message: "later" });
    expect(await processAll(api)).toBe(1);
    expect(await request(id)).toEqual({
      failure: expect.stringContaining("500") as string,
      processed: false,
    });
    await api.database.advanceClock("4.9 seconds");
    expect(await processAll(api)).toBe(0);
    await api.database.advanceClock("1.2 seconds");
    expect(await processAll(api)).toBe(1);
  });

  test("fetches a mail from no private address the operator did not open: no connection", async () => {
    const id = await announced();
    const before = standIn.calls.length;
    const download_url = `${standIn.url}/raw`;
    handingOver = (_, response) => json(response, 200, { raw: { download_url }, received_for: [] });
    delete process.env["MAILPIPE_EGRESS_ALLOW"];
    await processAll(api);
    process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
    expect(standIn.calls.slice(before).map(({ path }) => path.split("?")[0])).toEqual([
      "/emails/receiving/in_2",
    ]);
    expect((await request(id))?.failure).toContain("public address");
  });

  test("tries again when the stored bytes cannot be read, until they can", async () => {
    const id = await posted();
    const [row] = await api.database.sql("postgres")<{ storage_key: string }[]>`
      select storage_key from mailpipe.inbound_requests where id = ${id}
    `;
    await removeStored([row?.storage_key ?? ""]);
    await processAll(api);
    expect(await request(id)).toMatchObject({ processed: false });
    const { organization_id } = tenant;
    await storeBytes({ organization_id, environment: "live" }, new TextEncoder().encode(raw));
    await api.database.advanceClock("7 seconds");
    const before = await received();
    expect(await processAll(api)).toBe(1);
    expect(await request(id)).toEqual({ failure: null, processed: true });
    expect(await received()).toBe(before + 1);
  });

  test("gives up after ten tries, says why, and keeps the raw bytes", async () => {
    const id = await announced();
    handingOver = (_, response) => json(response, 404, { name: "not_found", message: "gone" });
    let tries = 0;
    for (let count = 0; count < 13; count++) {
      tries += await processAll(api);
      await api.database.advanceClock("29 hours");
    }
    expect(tries).toBe(10);
    expect(await request(id)).toEqual({ failure: expect.stringContaining("404") as string, processed: true });
    const kept = await api.database.sql("supabase_admin")`
      select object.name
      from mailpipe.inbound_requests as request
      join storage.objects as object on object.name = request.storage_key
      where request.id = ${id}
    `;
    expect(kept).toHaveLength(1);
  });

  test("works on a request again after a worker died on it; what that one says late changes nothing", async () => {
    const before = await received();
    const id = await posted();
    const claimed = await call("claim_inbound", { p_caller: worker, p_limit: 1 });
    const [dead] = claimed as unknown as { job_id: string; fence: number }[];
    expect(await processAll(api)).toBe(0);
    await api.database.advanceClock("120 seconds");
    expect(await processAll(api)).toBe(1);
    expect(await request(id)).toEqual({ failure: null, processed: true });
    const late = { events: [], mails: [], failure: "late", retry_in_seconds: null };
    const finish = { p_caller: worker, p_job_id: dead?.job_id, p_fence: dead?.fence, p_result: late };
    expect(await call("finish_inbound", finish)).toEqual({ accepted: false });
    expect(await request(id)).toEqual({ failure: null, processed: true });
    expect(await received()).toBe(before + 1);
  });

  test("still works on mail whose provider was removed meanwhile", async () => {
    const leaving = await connect(tenant.live, "smtp", account.credentials);
    const id = await posted(leaving);
    const { user_id, session_id } = tenant.owner;
    await call("delete_provider", { p_caller: { user_id, session_id }, p_id: leaving.id });
    expect(await processAll(api)).toBe(1);
    expect(await request(id)).toEqual({ failure: null, processed: true });
  });
});
