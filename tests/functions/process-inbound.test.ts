import { afterAll, beforeAll, describe, expect, test } from "vitest";
import mailboxes from "../../functions/mailboxes/index.ts";
import messages from "../../functions/messages/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import deliverMail from "../../functions/deliver-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, rows } from "../support/ask.ts";
import { post, postMail, processAll } from "../support/inbound.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

const svixSecret = `whsec_${Buffer.from("a secret of thirty-two bytes....").toString("base64")}`;

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let smtp: Connected;
let resend: Connected;
let standIn: ResendStandIn;

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
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  standIn = await startResend(({ method, headers }, response) =>
    json(
      response,
      200,
      method === "POST" ? { id: `re-${headers["idempotency-key"]?.slice(4)}` } : { data: [] },
    )
  );
  process.env["MAILPIPE_PROVIDER_URL_RESEND"] = standIn.url;
  api = await startApi();
  tenant = await foundTenant(api);
  account = await startSmtpAccount();
  smtp = await connect(tenant.live, "smtp", account.credentials);
  resend = await connect(tenant.live, "resend", { api_key: "re_stand_in", webhook_secret: svixSecret });
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
