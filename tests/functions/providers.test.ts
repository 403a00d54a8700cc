import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import providers from "../../functions/providers/index.ts";
import receiveWebhook from "../../functions/receive-webhook/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import deliverMail from "../../functions/deliver-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let resend: ResendStandIn;
let log: string[];
let tenants = 0;
const goodKey = "re_good_key_1";

beforeAll(async () => {
  log = keepLog();
  api = await startApi();
  account = await startSmtpAccount();
  resend = await startResend(({ headers }, response) => {
    const good = headers.authorization === `Bearer ${goodKey}`;
    json(
      response,
      good ? 200 : 401,
      good ? { data: [] } : { name: "invalid_api_key", message: "API key is invalid" },
    );
  });
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([account.close(), resend.close(), api.close()]);
});

const fresh = async () => (tenant = await foundTenant(api, `acme${tenants++}`));
const post = (body: unknown, token = tenant.live) => ask(providers, "providers", { token, body });
const list = (token = tenant.live, query = "") => ask(providers, `providers${query}`, { token });
const patch = (id: unknown, body: unknown, token = tenant.live) =>
  ask(providers, `providers/${String(id)}`, { token, method: "PATCH", body });
const remove = (id: unknown, token = tenant.live) =>
  ask(providers, `providers/${String(id)}`, { token, method: "DELETE" });
const smtp = (changes: object = {}) => ({
  kind: "smtp",
  name: "Main",
  credentials: { ...account.credentials, ...changes },
});
const ofResend = { kind: "resend", name: "Resend", credentials: { api_key: goodKey } };
const sealed = () => api.database.sql("postgres")`select id, credentials from mailpipe.providers order by id`;

describe("providers", () => {
  test("are connected after their credential was tried, and the first is the default", async () => {
    await fresh();
    const made = await post(smtp());
    expect(made).toMatchObject({
      status: 201,
      body: { kind: "smtp", name: "Main", environment: "live", default: true },
    });
    expect(made.body.inbound_url).toMatch(/\/functions\/v1\/receive-webhook\/mime\/[\w-]{43}$/);
    expect(made.body.inbound_secret).toMatch(/^whsec_/);
    expect(await account.mails()).toEqual([]);

    const second = await post(ofResend);
    expect(second).toMatchObject({ status: 201, body: { kind: "resend", default: false } });
    expect(second.body.inbound_url).toMatch(/\/receive-webhook\/resend\/[\w-]{43}$/);
    expect(second.body.inbound_secret).toBeUndefined();
    expect(resend.calls.at(-1)).toMatchObject({ method: "GET", path: "/domains" });
  });

  test("are shown without credential, token or secret, and these rest sealed and unlogged", async () => {
    await fresh();
    const made = await post(smtp());
    const token = String(made.body.inbound_url).split("/").at(-1) ?? "";
    const secrets = [String(account.credentials.password), token, String(made.body.inbound_secret)];
    const { inbound_url: _, inbound_secret: __, ...shown } = made.body;
    expect(rows(await list())).toEqual([shown]);
    const dump = await api.database.sql("postgres")<{ line: string }[]>`
      select provider::text || encode(provider.credentials, 'escape') as line from mailpipe.providers as provider
      union all select audit::text from mailpipe.audit as audit
    `;
    for (const secret of secrets) {
      expect(dump.filter(({ line }) => line.includes(secret))).toEqual([]);
      expect(log.filter((line) => line.includes(secret))).toEqual([]);
    }
  });

  test("are not connected with a credential the account refuses, and the answer says what failed", async () => {
    await fresh();
    const wrong = await post(smtp({ password: "wrong-password" }));
    expect(refusal(wrong)).toEqual([422, "credentials_refused"]);
    expect(wrong.body.error).toMatch(/535|wrong username or password/i);
    expect(wrong.text).not.toContain("wrong-password");
    expect(refusal(await post({ ...ofResend, credentials: { api_key: "re_unknown_key" } }))).toEqual([
      422,
      "credentials_refused",
    ]);
    expect(rows(await list())).toEqual([]);
  });

  test("are not connected where nobody listens, nor where a private address was not opened: no connection", async () => {
    await fresh();
    expect(refusal(await post(smtp({ port: 9 })))).toEqual([422, "credentials_refused"]);
    let connections = 0;
    const witness = net.createServer(() => void connections++);
    await new Promise<void>((resolve) => witness.listen(0, "127.0.0.1", resolve));
    const { port } = witness.address() as AddressInfo;
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    for (const host of ["127.0.0.1", "localhost", "127.1", "0x7f.1", "[::ffff:127.0.0.1]", "::ffff:7f00:1"]) {
      expect((await post(smtp({ host, port }))).status, host).toBe(422);
    }
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
    await new Promise((resolve) => witness.close(resolve));
    expect(connections).toBe(0);
    expect(rows(await list())).toEqual([]);
  });

  test("are tried for nobody who may not connect them", async () => {
    await fresh();
    const before = resend.calls.length;
    for (const token of [`${tenant.live.slice(0, -1)}!`, api.publishableKey]) {
      expect((await post(ofResend, token)).status).toBe(401);
    }
    expect(resend.calls.length).toBe(before);
  });

  test("have exactly one default, which another can take over", async () => {
    await fresh();
    const first = await connect(tenant.live, "smtp", account.credentials);
    const second = await post({ ...ofResend, default: true });
    const defaults = async () => rows(await list()).filter((row) => row.default).map(({ id }) => id);
    expect(await defaults()).toEqual([second.body.id]);
    expect((await patch(first.id, { default: true })).body).toMatchObject({ id: first.id, default: true });
    expect(await defaults()).toEqual([first.id]);
  });

  test("change their name, and their credential after the new one was tried", async () => {
    await fresh();
    const { id } = await connect(tenant.live, "smtp", account.credentials);
    const before = await sealed();
    expect((await patch(id, { name: "Renamed" })).body).toMatchObject({ name: "Renamed", default: true });
    expect(
      refusal(await patch(id, { credentials: { ...account.credentials, password: "another-wrong-one" } })),
    ).toEqual([
      422,
      "credentials_refused",
    ]);
    expect(await sealed()).toEqual(before);
    expect((await patch(id, { credentials: account.credentials })).status).toBe(200);
    expect(await sealed()).not.toEqual(before);
    const ofAnother = await patch(id, { credentials: { api_key: goodKey } });
    expect(ofAnother.status).toBe(422);
    expect(refusal(ofAnother)).toContain("credentials.host");
  });

  test("are not removed while mail waits for them, and are once it is gone", async () => {
    await fresh();
    const { id, inbound_url } = await connect(tenant.live, "smtp", account.credentials);
    const body = { from: "a@s.example", to: ["b@r.example"], subject: "s", text: "t" };
    expect((await ask(sendMail, "send-mail", { token: tenant.live, body })).status).toBe(202);
    const refused = await remove(id);
    expect(refusal(refused)).toEqual([409, "provider_in_use"]);
    expect(refused.body.error).toContain("1 queued");
    await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} });

    expect((await remove(id)).body).toEqual({ id, removed: true });
    expect(rows(await list())).toEqual([]);
    for (const gone of [await remove(id), await patch(id, { name: "x" })]) {
      expect(refusal(gone)).toEqual([404, "not_found"]);
    }
    expect(refusal(await ask(sendMail, "send-mail", { token: tenant.live, body }))).toEqual([
      422,
      "no_provider",
    ]);
    const path = new URL(inbound_url).pathname.replace("/functions/v1/", "");
    const late = await ask(receiveWebhook, path, {
      raw: "mail",
      headers: { "content-type": "message/rfc822" },
    });
    expect(refusal(late)).toEqual([401, "invalid_credential"]);
    const [row] = await api.database.sql("postgres")`
      select credentials, inbound_token_hash, inbound_secret from mailpipe.providers where id = ${id}
    `;
    expect(row).toEqual({ credentials: null, inbound_token_hash: null, inbound_secret: null });
  });

  test("of the live environment are out of reach for a test key and for another tenant", async () => {
    await fresh();
    const mine = tenant;
    const { id } = await connect(mine.live, "smtp", account.credentials);
    await fresh();
    for (const token of [mine.test, tenant.live]) {
      expect(rows(await list(token))).toEqual([]);
      expect(refusal(await patch(id, { name: "x" }, token))).toEqual([404, "not_found"]);
      expect(refusal(await patch(id, { credentials: account.credentials }, token))).toEqual([
        404,
        "not_found",
      ]);
      expect(refusal(await remove(id, token))).toEqual([404, "not_found"]);
    }
    expect(rows(await list(mine.live))).toHaveLength(1);
  });

  test("are for the live environment: a test key has the sandbox", async () => {
    await fresh();
    expect(refusal(await post(ofResend, tenant.test))).toEqual([422, "invalid_request", "environment"]);
    expect(refusal(await post({ ...ofResend, environment: "test" }))).toEqual([403, "environment_mismatch"]);
  });

  test.each<[string, object, string]>([
    ["no kind", { kind: undefined }, "kind"],
    ["a kind there is not", { kind: "pigeon" }, "kind"],
    ["the sandbox", { kind: "sandbox" }, "kind"],
    ["no name", { name: undefined }, "name"],
    ["a name of 101 characters", { name: "n".repeat(101) }, "name"],
    ["a name with a line break", { name: "a\nb" }, "name"],
    ["a name with half a character", { name: "a\ud800" }, "name"],
    ["a name that is a number", { name: 1 }, "name"],
    ["a default that is a text", { default: "yes" }, "default"],
    ["no credentials", { credentials: undefined }, "credentials"],
    ["credentials that are a text", { credentials: "re_of_a_stand_in" }, "credentials"],
    [
      "a key with a line break",
      { credentials: { api_key: "re_of_a_stand_in\r\nX: y" } },
      "credentials.api_key",
    ],
    ["an empty key", { credentials: { api_key: "" } }, "credentials.api_key"],
    ["a key of 257 characters", { credentials: { api_key: "k".repeat(257) } }, "credentials.api_key"],
    ["a key that is a number", { credentials: { api_key: 1 } }, "credentials.api_key"],
    [
      "a webhook secret without whsec_",
      { credentials: { api_key: goodKey, webhook_secret: "without-the-prefix" } },
      "credentials.webhook_secret",
    ],
    [
      "a credential there is not",
      { credentials: { api_key: goodKey, password: "not-of-this-kind" } },
      "credentials.password",
    ],
  ])("of kind resend are refused with %s", async (_, changes, path) => {
    expect(refusal(await post({ ...ofResend, ...changes }))).toEqual([422, "invalid_request", path]);
  });

  test.each<[string, object, string]>([
    ["no host", { host: undefined }, "credentials.host"],
    ["a host that is a URL", { host: "smtp://mail.example" }, "credentials.host"],
    ["a host with a line break", { host: "mail.example\r\n" }, "credentials.host"],
    ["a host of 256 characters", { host: "h".repeat(256) }, "credentials.host"],
    ["a host that is a number", { host: 1 }, "credentials.host"],
    ["port 0", { port: 0 }, "credentials.port"],
    ["port 65536", { port: 65_536 }, "credentials.port"],
    ["a port that is a text", { port: "465" }, "credentials.port"],
    ["a port and a half", { port: 465.5 }, "credentials.port"],
    ["secure as a text", { secure: "yes" }, "credentials.secure"],
    ["a user without a password", { password: null }, "credentials.password"],
    ["a password without a user", { username: null }, "credentials.password"],
    ["a password with a line break", { password: "before\r\nafter it" }, "credentials.password"],
    ["a password with half a character", { password: "half a one \ud800" }, "credentials.password"],
    ["a password of 1025 characters", { password: "p".repeat(1_025) }, "credentials.password"],
    ["a user of 513 characters", { username: "u".repeat(513) }, "credentials.username"],
    ["an option there is not", { ignoreTLS: true }, "credentials.ignoreTLS"],
  ])("of kind smtp are refused with %s", async (_, changes, path) => {
    expect(refusal(await post(smtp(changes)))).toEqual([422, "invalid_request", path]);
  });

  test("are not changed by a body that changes nothing, or their kind", async () => {
    await fresh();
    const { id } = await connect(tenant.live, "resend", { api_key: goodKey });
    expect((await patch(id, {})).status).toBe(422);
    expect(refusal(await patch(id, { kind: "smtp", name: "x" }))).toEqual([422, "invalid_request", "kind"]);
    expect(refusal(await patch(id, { credentials: { api_key: "a key with blanks" } }))).toEqual([
      422,
      "invalid_request",
      "credentials.api_key",
    ]);
  });
});
