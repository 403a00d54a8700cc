import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import messages from "../../functions/messages/index.ts";
import organizations from "../../functions/organizations/index.ts";
import providers from "../../functions/providers/index.ts";
import receiveWebhook from "../../functions/receive-webhook/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import takeOut from "../../functions/take-out-master-key/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect, type Connected } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let resend: ResendStandIn;
let provider: Connected;

beforeAll(async () => {
  keepLog();
  resend = await startResend(({ path }, response) =>
    json(response, 200, path === "/emails" ? { id: "em_1" } : { data: [] })
  );
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await resend.close();
});
beforeEach(async () => {
  api = await startApi();
  tenant = await foundTenant(api);
  provider = await connect(tenant.live, "resend", { api_key: "re_of_the_fixtures" });
  resend.calls.length = 0;
});
afterEach(() => api.close());

const sql = () => api.database.sql("postgres");
const lose = () => sql()`delete from vault.secrets where name like 'mailpipe_master_key_v1_%'`;
const post = () =>
  ask(providers, "providers", {
    token: tenant.live,
    body: { kind: "resend", name: "Second", credentials: { api_key: "re_of_the_fixtures_too" } },
  });
const deliver = () => ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} });

/** 503 in our own words, the version named. */
function expectMissing(answer: Answer): void {
  expect(refusal(answer)).toEqual([503, "master_key_missing"]);
  expect(answer.body.error).toContain("version 1 is not in this project's Vault");
}

describe("without the master key in Vault", () => {
  test("a provider is not connected, and nothing is stored", async () => {
    await lose();
    expectMissing(await post());
    expect(await sql()`select id from mailpipe.providers`).toHaveLength(1);
  });

  test("mail is taken and waits: no delivery, no attempt, and it goes out once the key is back", async () => {
    const [kept] = await sql()<{ secret: string; id: string }[]>`
      select mailpipe.master_key(1) as secret, vault_secret_id as id from mailpipe.master_keys
    `;
    await lose();
    const body = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
    const sent = await ask(sendMail, "send-mail", { token: tenant.live, body });
    expect(sent.status).toBe(202);
    expectMissing(await deliver());
    expect(resend.calls).toEqual([]);
    const show = async () =>
      (await ask(messages, `messages/${String(sent.body.id)}`, { token: tenant.live })).body.status;
    expect(await show()).toBe("queued");
    expect(await sql()`select job_id from mailpipe.attempts`).toEqual([]);
    await sql()`
      update mailpipe.master_keys set vault_secret_id = mailpipe.store_master_key(1, ${kept?.secret ?? ""})
    `;
    expect((await deliver()).status).toBe(200);
    expect(await show()).toBe("sent");
  });

  test("a provider's request is not taken, so the provider sends it again", async () => {
    await lose();
    const path = new URL(provider.inbound_url).pathname.replace("/functions/v1/", "");
    expectMissing(
      await ask(receiveWebhook, path, { raw: "{}", headers: { "content-type": "application/json" } }),
    );
    expect(await sql()`select id from mailpipe.inbound_requests`).toEqual([]);
  });

  test("no organization is founded and no key is taken out", async () => {
    await lose();
    await sql()`update mailpipe.settings set organization_creation = 'open'`;
    const token = tenant.owner.access_token;
    expectMissing(await ask(organizations, "organizations", { token, body: { name: "Second" } }));
    expect(await sql()`select id from mailpipe.organizations`).toHaveLength(1);
    expectMissing(
      await ask(takeOut, "take-out-master-key", { token, body: { passphrase: "correct horse battery" } }),
    );
    expect(await sql()`select version from mailpipe.master_keys where taken_out_at is not null`).toEqual([]);
  });
});
