import { afterAll, beforeAll, describe, expect, test } from "vitest";
import listKeys from "../../functions/list-keys/index.ts";
import messages from "../../functions/messages/index.ts";
import revokeKey from "../../functions/revoke-key/index.ts";
import rotateKey from "../../functions/rotate-key/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { hashKey, keyChecksum, mintKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let other: Tenant;
let log: string[];

beforeAll(async () => {
  log = keepLog();
  api = await startApi();
  [tenant, other] = [await foundTenant(api), await foundTenant(api, "other")];
});
afterAll(() => api.close());

const who = (headers: Record<string, string>, path = "whoami") => ask(whoami, path, { headers });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const rowsOf = async () => {
  const [row] = await api.database.sql("postgres")<Record<string, number>[]>`
    select
        (select count(*)::int from mailpipe.audit) as audit,
        (select count(*)::int from mailpipe.key_uses) as uses,
        (select count(*)::int from mailpipe.rate_windows) as windows,
        (select count(*)::int from mailpipe.events) as events
  `;
  return row;
};

describe("A2: a key of the same scopes, of somebody else", () => {
  test("can neither revoke nor rotate ours, which goes on working", async () => {
    const { id, key } = await issue(tenant.owner.access_token);
    expect(refusal(await ask(revokeKey, "revoke-key", { token: other.live, body: { id } }))).toEqual([
      404,
      "not_found",
    ]);
    expect(refusal(await ask(rotateKey, "rotate-key", { token: other.live, body: { id } }))).toEqual([
      404,
      "not_found",
    ]);
    expect((await who(bearer(key))).status).toBe(200);
  });
});

describe("A6: a key that is right at its beginning", () => {
  test("is answered like any unknown one", async () => {
    const head = `${tenant.live.slice(0, 30)}${"x".repeat(10)}`;
    const headers = { "x-request-id": "same" };
    const near = await who({ ...bearer(head + keyChecksum(head)), ...headers });
    const unknown = await who({ ...bearer(mintKey("live").plain), ...headers });
    expect([near.status, near.text]).toEqual([unknown.status, unknown.text]);
  });
});

describe("A15: a flood of made-up keys with good checksums", () => {
  test("is one call each, and leaves no row and no longer line", async () => {
    const before = await rowsOf();
    api.calls.length = 0;
    for (let call = 0; call < 50; call++) await who(bearer(mintKey("live").plain));
    expect(api.calls.map(({ rpc }) => rpc)).toEqual(Array.from({ length: 50 }, () => "whoami"));
    expect(await rowsOf()).toEqual(before);
  });
});

describe("A16: what is no key in place of one", () => {
  test.each([
    ["a quote", "mp_live_' or 1=1 --"],
    ["a statement", "mp_live_;drop table mailpipe.api_keys;--"],
    ["a megabyte", `mp_live_${"a".repeat(1024 * 1024)}`],
    ["bytes that are no UTF-8", "mp_live_\u00ff\u00fe\u00fd"],
    ["a hash", hashKey("x")],
    ["JSON", '{"key_hash":"x"}'],
    ["JSON in the scheme's place", '{"$ne":null}'],
  ])("%s is 401 and reaches nobody", async (_, value) => {
    api.calls.length = 0;
    const answer = await who({ authorization: `Bearer ${value}` });
    expect(refusal(answer)).toEqual([401, "invalid_credential"]);
    expect(answer.text).not.toMatch(/select|syntax|postgres|mp_live_/i);
    expect(api.calls).toEqual([]);
  });

  test("hostile filters are data: no SQL text comes back", async () => {
    const token = tenant.live;
    for (
      const query of ["tag='; drop table mailpipe.messages;--", "from=a@b.example' or '1'='1", "tag=%00"]
    ) {
      const answer = await ask(messages, `messages?${query}`, { token });
      expect([200, 422]).toContain(answer.status);
      expect(answer.text).not.toMatch(/syntax|42601|22P02/);
    }
    const headers = { prefer: "tx=rollback", "accept-profile": "mailpipe", "content-profile": "vault" };
    expect((await ask(listKeys, "list-keys", { token, headers })).status).toBe(200);
  });

  test("no line of the log holds what was sent", () => {
    expect(log.filter((line) => /drop table|1=1|aaaaaaaa/.test(line))).toEqual([]);
  });
});

describe("A17: one header, one credential", () => {
  test.each<[string, () => Record<string, string>, [number, string]]>([
    ["lower-case scheme", () => ({ authorization: `bearer ${tenant.live}` }), [200, ""]],
    ["spaces around", () => ({ authorization: `  Bearer   ${tenant.live}  ` }), [200, ""]],
    ["a tab between", () => ({ authorization: `Bearer\t${tenant.live}` }), [401, "invalid_credential"]],
    ["the same twice", () => ({ authorization: `Bearer ${tenant.live}, Bearer ${tenant.live}` }), [
      401,
      "invalid_credential",
    ]],
    ["as a user name", () => ({ authorization: `Basic ${btoa(`${tenant.live}:`)}` }), [
      401,
      "invalid_credential",
    ]],
    ["without a scheme", () => ({ authorization: tenant.live }), [401, "invalid_credential"]],
    ["another key in another header", () => ({ ...bearer(tenant.live), apikey: other.live }), [
      400,
      "key_misplaced",
    ]],
    ["a bad session and a good key", () => ({ ...bearer("a.b.c"), apikey: tenant.live }), [
      400,
      "key_misplaced",
    ]],
    ["in a cookie", () => ({ ...bearer(tenant.live), cookie: `k=${tenant.live}` }), [400, "key_misplaced"]],
  ])("%s", async (_, headers, [status, code]) => {
    const answer = await who(headers());
    expect([answer.status, answer.body.code ?? ""]).toEqual([status, code]);
  });

  test("a key in the path is refused and marked", async () => {
    const { key } = await issue(tenant.owner.access_token);
    const answer = await ask(messages, `messages/${key}`, { token: tenant.live });
    expect(refusal(answer)).toEqual([400, "key_misplaced"]);
    expect(answer.text).not.toContain(key);
    expect(log.at(-1)).not.toContain(key);
    // Where no route is, too: the address was written down on the way.
    expect(refusal(await ask(whoami, `whoami/${key}`, {}))).toEqual([400, "key_misplaced"]);
    expect(refusal(await ask(whoami, `whoami?k=${key}`, { method: "DELETE" }))).toEqual([
      400,
      "key_misplaced",
    ]);
  });
});

describe("A20: one idempotency key", () => {
  const mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };
  const send = (token: string, body: object = mail) =>
    ask(sendMail, "send-mail", { token, body, headers: { "idempotency-key": "order-1" } });

  test("is one for every key of an organization's environment, and none of another's", async () => {
    const second = await issue(tenant.owner.access_token, { environment: "test" });
    const first = await send(tenant.test);
    expect((await send(second.key)).body.id).toBe(first.body.id);
    expect((await send(other.test)).body.id).not.toBe(first.body.id);
    expect(refusal(await send(second.key, { ...mail, text: "u" }))).toEqual([409, "idempotency_key_reused"]);
  });
});

describe("A40: the boundary of an expiry", () => {
  test("is half-open: a key lives until its instant, and not in it", async () => {
    await api.database.setClock("2031-03-30T00:59:59.999Z");
    const { key } = await issue(tenant.owner.access_token, { expires_at: "2031-03-30T01:00:00.000Z" });
    expect((await who(bearer(key))).status).toBe(200);
    await api.database.advanceClock("1 millisecond");
    expect((await who(bearer(key))).status).toBe(401);
  });
});
