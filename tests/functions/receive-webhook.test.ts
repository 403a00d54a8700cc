import { afterAll, beforeAll, describe, expect, test } from "vitest";
import mailboxes from "../../functions/mailboxes/index.ts";
import messages from "../../functions/messages/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { post, postMail, processAll } from "../support/inbound.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let connected: Connected;

const mail = (subject: string, more = "") =>
  `From: Eve <eve@elsewhere.example>\r\nTo: hello@acme.example\r\nSubject: ${subject}\r\n${more}\r\nBody.\r\n`;

async function stored() {
  return await api.database.sql("postgres")`select id, event_key, storage_key from mailpipe.inbound_requests`;
}

async function inbound(subject: string) {
  const list = await ask(messages, "messages?direction=inbound&limit=100", { token: tenant.live });
  return rows(list).filter((row) => row["subject"] === subject);
}

beforeAll(async () => {
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
