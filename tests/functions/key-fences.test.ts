import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import issueKey from "../../functions/issue-key/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import messages from "../../functions/messages/index.ts";
import providers from "../../functions/providers/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { type Scope, scopes } from "../../shared/access.ts";
import { hashKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Issued, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
});
afterAll(() => api.close());
afterEach(() => vi.unstubAllEnvs());

/** Asks for a test key with fences: the sandbox takes its mail. */
const askIssue = (fences: unknown, more: object = {}, token = tenant.owner.access_token) =>
  ask(issueKey, "issue-key", {
    token,
    body: { name: "fenced", environment: "test", scopes, fences, ...more },
  });
async function issued(fences: object, more: object = {}): Promise<Issued> {
  const answer = await askIssue(fences, more);
  if (answer.status !== 201) throw new Error(answer.text);
  return { id: String(answer.body.id), key: String(answer.body.key) };
}
const fenced = async (fences: object, more: object = {}) => (await issued(fences, more)).key;

const mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t" };
const send = (token: string, more: object = {}, headers = {}) =>
  ask(sendMail, "send-mail", { token, body: { ...mail, ...more }, headers });
/** Says which fence, and nothing of what a message or a request named. */
const violated = (answer: Answer, fence: string) => {
  expect(refusal(answer)).toEqual([403, "fence_violated"]);
  expect(answer.body.error).toContain(fence);
  expect(answer.text).not.toMatch(/@|evil|acme|198\.51|2001:/);
};
const stored = async () => {
  const [row] = await api.database.sql("supabase_admin")`
    select
      (select count(*)::int from mailpipe.messages) as messages,
      (select count(*)::int from mailpipe.idempotency_records) as idempotency_records,
      (select count(*)::int from storage.objects) as objects
  `;
  return row;
};

describe("a key fenced to sending domains", () => {
  test.each([
    ["the domain", "a@acme.example"],
    ["upper case", "A@ACME.Example"],
    ["plus and tags", "a+b.c@acme.example"],
    ["a name", "Acme <a@acme.example>"],
    ["a name that is another address", '"x@evil.example" <a@acme.example>'],
    ["a quoted local part with an at", '"x@evil.example"@acme.example'],
    ["the other spelling of a domain with umlauts", "a@bücher.example"],
    ["its A-label", "a@xn--bcher-kva.example"],
    ["an ideographic full stop", "a@acme\u3002example"],
    ["an object", { email: "a@acme.example", name: "A" }],
    ["a percent in the local part", "x%evil.example@acme.example"],
  ])("sends from %s", async (_, from) => {
    const key = await fenced({ sending_domains: ["acme.example", "BÜCHER.example"] });
    expect((await send(key, { from })).status).toBe(202);
  });

  test.each(["a@bücher.example", "a@BÜCHER.Example", "a@xn--bcher-kva.example", "a@XN--BCHER-KVA.example"])(
    "by its A-label sends from %s",
    async (from) => {
      const key = await fenced({ sending_domains: ["xn--bcher-kva.example"] });
      expect((await send(key, { from })).status).toBe(202);
    },
  );

  test.each([
    ["another domain", "a@evil.example"],
    ["a subdomain", "a@mail.acme.example"],
    ["a longer domain", "a@notacme.example"],
    ["a domain that goes on", "a@acme.example.evil.example"],
    ["a name that is the right address", '"a@acme.example" <x@evil.example>'],
    ["a quoted local part that is the right address", '"a@acme.example"@evil.example'],
    ["an object whose name is the right address", { email: "x@evil.example", name: "<a@acme.example>" }],
    ["a letter that only looks the same", "a@\u0430cme.example"],
  ])("does not send from %s, and stores nothing", async (_, from) => {
    const key = await fenced({ sending_domains: ["acme.example"] });
    const before = await stored();
    violated(
      await send(key, {
        from,
        attachments: [{ filename: "a", content: btoa(encodeURI(JSON.stringify(from))) }],
      }),
      "sending_domains",
    );
    violated(await send(key, { from }), "sending_domains");
    expect(await stored()).toEqual(before);
  });

  test.each([
    ["a group", { from: "Acme: a@acme.example, x@evil.example;" }, "from"],
    ["two addresses", { from: "a@acme.example, x@evil.example" }, "from"],
    ["a list", { from: ["a@acme.example", "x@evil.example"] }, "from"],
    ["two addresses in brackets", { from: "<a@acme.example> <x@evil.example>" }, "from"],
    ["two ats", { from: "x@evil.example@acme.example" }, "from"],
    ["a route", { from: "<@acme.example:x@evil.example>" }, "from"],
    ["a comment", { from: "x@evil.example(@acme.example)" }, "from"],
    ["an encoded line break", { from: "=?utf-8?q?=0d=0aFrom:_x?= <a@acme.example>" }, "from"],
    ["a line break", { from: "a@acme.example\r\nFrom: x@evil.example" }, "from"],
    ["a trailing dot", { from: "a@acme.example." }, "from"],
    ["From as a header", { headers: { From: "x@evil.example" } }, "headers.From"],
    ["Sender as a header", { headers: { sender: "x@evil.example" } }, "headers.sender"],
    ["Reply-To as a header", { headers: { "Reply-To": "x@evil.example" } }, "headers.Reply-To"],
    ["Return-Path as a header", { headers: { "Return-Path": "x@evil.example" } }, "headers.Return-Path"],
    ["Resent-From as a header", { headers: { "Resent-From": "x@evil.example" } }, "headers.Resent-From"],
    ["a header that holds a second From", { headers: { "X-A": "1\r\nFrom: x@evil.example" } }, "headers.X-A"],
  ])("is 422 for %s", async (_, more, path) => {
    const key = await fenced({ sending_domains: ["acme.example"] });
    expect(refusal(await send(key, more))).toEqual([422, "invalid_request", path]);
  });

  test("is fenced in the live environment too, before a provider is chosen", async () => {
    const key = await fenced({ sending_domains: ["acme.example"] }, { environment: "live" });
    expect(refusal(await send(key))).toEqual([422, "no_provider"]);
    violated(await send(key, { from: "a@evil.example" }), "sending_domains");
  });

  test("leaves a session free, whatever the keys it issued are fenced to", async () => {
    await fenced({ sending_domains: ["acme.example"] });
    const answer = await send(tenant.owner.access_token, { from: "a@evil.example" }, {
      "x-mailpipe-environment": "test",
    });
    expect(answer.status).toBe(202);
  });

  test("leaves a line in the audit log that says which fence and names no address", async () => {
    const { id, key } = await issued({ sending_domains: ["acme.example"] });
    await send(key, { from: "a@evil.example" });
    expect(
      await api.database.sql("postgres")`
        select detail from mailpipe.audit where subject_id = ${id} and action = 'key.refused'
      `,
    ).toEqual([{ detail: { reason: "fence_violated", detail: "sending_domains" } }]);
  });

  test("is fenced before an idempotent repeat is answered", async () => {
    const body = { ...mail, from: "a@evil.example" };
    const headers = { "idempotency-key": "once" };
    expect((await ask(sendMail, "send-mail", { token: tenant.test, body, headers })).status).toBe(202);
    const key = await fenced({ sending_domains: ["acme.example"] });
    violated(await ask(sendMail, "send-mail", { token: key, body, headers }), "sending_domains");
  });
});

describe("a key fenced to recipient domains", () => {
  test("sends there, to all of to, cc and bcc, and names the first it may not", async () => {
    const key = await fenced({ recipient_domains: ["example.net", "example.org"] });
    expect((await send(key, { cc: ["c@EXAMPLE.org"], bcc: ["d@example.net"] })).status).toBe(202);
    const before = await stored();
    for (
      const [more, place] of [
        [{ to: ["b@example.net", "x@evil.example"] }, "to[1]"],
        [{ cc: ["x@evil.example"] }, "cc[0]"],
        [{ bcc: ["b@example.net", "c@example.net", "x@sub.example.net"] }, "bcc[2]"],
        [{ to: ['"b@example.net"@evil.example'] }, "to[0]"],
        [{ to: ['"b@example.net" <x@evil.example>'] }, "to[0]"],
        [{ bcc: ["x@evil.example"], cc: ["c@example.net", "x@evil.example"] }, "cc[1]"],
      ] as const
    ) {
      violated(await send(key, more), `recipient_domains: ${place}`);
      const attachments = [{ filename: "a", content: btoa(place) }];
      violated(await send(key, { ...more, attachments }, { "idempotency-key": "out" }), place);
    }
    expect(await stored()).toEqual(before);
  });

  test("holds beside a fence around senders", async () => {
    const key = await fenced({ sending_domains: ["acme.example"], recipient_domains: ["example.net"] });
    expect((await send(key)).status).toBe(202);
    violated(await send(key, { from: "a@evil.example" }), "sending_domains");
    violated(await send(key, { to: ["x@evil.example"] }), "recipient_domains: to[0]");
  });
});

describe("a key fenced to mailboxes", () => {
  let mine: string;
  let other: string;

  const make = async (address: string, token = tenant.test) =>
    String((await ask(mailboxes, "mailboxes", { token, body: { address } })).body.id);
  const arrive = async (mailbox: string) => {
    const [row] = await api.database.sql("postgres")<{ id: string }[]>`
      with thread as (
        insert into mailpipe.threads (organization_id, environment, subject_key, participants)
        values (${tenant.organization_id}, 'test', 's', '{}') returning id
      )
      insert into mailpipe.messages (
        organization_id, environment, direction, status, thread_id, mailbox_id, from_email, subject
      )
      select ${tenant.organization_id}, 'test', 'inbound', 'received', thread.id, ${mailbox}, 'x@example.net', 's'
      from thread
      returning id
    `;
    return row?.id ?? "";
  };

  beforeAll(async () => {
    [mine, other] = [await make("mine@acme.example"), await make("other@acme.example")];
  });

  test("is named by id or by address, and kept by id", async () => {
    for (const name of [mine, "MINE@acme.example", "Mine <mine@acme.example>"]) {
      expect((await askIssue({ mailboxes: [name] })).body.fences).toMatchObject({ mailboxes: [mine] });
    }
    const twice = await askIssue({ mailboxes: [mine, "mine@acme.example"] });
    expect(twice.body.fences).toMatchObject({ mailboxes: [mine] });
  });

  test("is the same mailbox in either way Unicode writes it", async () => {
    const made = await make("re\u0301ne@acme.example");
    for (const name of [made, "r\u00e9ne@acme.example", "RE\u0301NE@acme.example"]) {
      const key = await fenced({ mailboxes: [name] });
      expect((await send(key, { from: "re\u0301ne@acme.example" })).status).toBe(202);
      expect((await send(key, { from: "r\u00c9ne@acme.example" })).status).toBe(202);
    }
  });

  test("is 422 for a mailbox there is not, also of the other environment", async () => {
    const live = await make("live@acme.example", tenant.live);
    for (const name of [live, "live@acme.example", "none@acme.example", `mbx_${"0".repeat(26)}`]) {
      expect(refusal(await askIssue({ mailboxes: [mine, name] }))).toEqual([
        422,
        "invalid_request",
        "fences.mailboxes[1]",
      ]);
    }
  });

  test("sends from its addresses alone", async () => {
    const key = await fenced({ mailboxes: [mine] });
    expect((await send(key, { from: "Mine@acme.example" })).status).toBe(202);
    for (
      const from of ["other@acme.example", "mine+x@acme.example", '"mine@acme.example" <other@acme.example>']
    ) {
      violated(await send(key, { from }), "mailboxes");
    }
    const before = await stored();
    const attachments = [{ filename: "a", content: btoa("not mine") }];
    violated(await send(key, { from: "other@acme.example", attachments }), "mailboxes");
    expect(await stored()).toEqual(before);
  });

  test("sends from its addresses alone in the live environment too", async () => {
    const id = await make("shop@acme.example", tenant.live);
    const key = await fenced({ mailboxes: [id] }, { environment: "live" });
    expect(refusal(await send(key, { from: "shop@acme.example" }))).toEqual([422, "no_provider"]);
    violated(await send(key, { from: "mine@acme.example" }), "mailboxes");
  });

  test("reads its mail and what it sent itself, and nothing else", async () => {
    const key = await fenced({ mailboxes: [mine] });
    const [here, there] = [await arrive(mine), await arrive(other)];
    const theirs = String((await send(tenant.test, { from: "mine@acme.example" })).body.id);
    const own = String((await send(key, { from: "mine@acme.example" })).body.id);
    const seen = rows(await ask(messages, "messages?limit=100", { token: key })).map(({ id }) => id);
    expect(new Set(seen)).toEqual(new Set([own, here]));
    expect((await ask(messages, `messages/${here}`, { token: key })).status).toBe(200);
    for (const id of [there, theirs]) {
      expect(refusal(await ask(messages, `messages/${id}`, { token: key }))).toEqual([404, "not_found"]);
    }
    expect(rows(await ask(messages, `messages?mailbox_id=${other}`, { token: key }))).toEqual([]);
  });

  test("reads every mailbox it is for", async () => {
    const key = await fenced({ mailboxes: [mine, other] });
    const both = [await arrive(mine), await arrive(other)];
    for (const id of both) expect((await ask(messages, `messages/${id}`, { token: key })).status).toBe(200);
  });

  test("lists and changes these mailboxes, and makes and removes no other", async () => {
    const key = await fenced({ mailboxes: [mine] });
    const on = (path: string, question: object) => ask(mailboxes, path, { token: key, ...question });
    expect(rows(await on("mailboxes", {})).map(({ id }) => id)).toEqual([mine]);
    expect((await on(`mailboxes/${mine}`, { method: "PATCH", body: { display_name: "M" } })).status).toBe(
      200,
    );
    for (
      const question of [{}, { method: "DELETE" }, { method: "PATCH", body: { display_name: "O" } }]
    ) {
      expect(refusal(await on(`mailboxes/${other}`, question))).toEqual([404, "not_found"]);
    }
    expect((await on(`mailboxes/${mine}`, {})).status).toBe(200);
    violated(await on("mailboxes", { body: { address: "new@acme.example" } }), "mailboxes");
  });

  test("opens no door that reaches every mailbox", async () => {
    const key = await fenced({ mailboxes: [mine] });
    violated(await ask(webhooks, "webhooks", { token: key }), "webhooks:read");
    const body = { url: "https://127.0.0.1/h", events: ["*"] };
    violated(await ask(webhooks, "webhooks", { token: key, body }), "webhooks:write");
    const connection = { kind: "resend", name: "R", credentials: { api_key: "re_of_a_stand_in" } };
    violated(await ask(providers, "providers", { token: key, body: connection }), "providers:write");
  });

  test.each(["webhooks:read", "webhooks:write", "providers:write", "data:export", "data:delete"])(
    "opens no door to %s, whoever asks at it",
    async (scope) => {
      const caller = { key_hash: hashKey(await fenced({ mailboxes: [mine] })) };
      const sql = api.database.sql("postgres");
      await expect(sql`select mailpipe.authenticate(${sql.json(caller)}, ${scope})`).rejects.toMatchObject({
        message: "fence_violated",
        detail: `mailboxes: ${scope} reaches beyond the mailboxes the key is for`,
      });
    },
  );

  test("stays fenced when its mailbox is gone", async () => {
    const gone = await make("gone@acme.example");
    const key = await fenced({ mailboxes: [gone] });
    await ask(mailboxes, `mailboxes/${gone}`, { token: tenant.test, method: "DELETE" });
    violated(await send(key, { from: "gone@acme.example" }), "mailboxes");
    expect(rows(await ask(mailboxes, "mailboxes", { token: key }))).toEqual([]);
    await make("gone@acme.example");
    violated(await send(key, { from: "gone@acme.example" }), "mailboxes");
    expect(rows(await ask(mailboxes, "mailboxes", { token: key }))).toEqual([]);
    violated(
      await ask(mailboxes, "mailboxes", { token: key, body: { address: "x@b.example" } }),
      "mailboxes",
    );
  });
});

describe("a key fenced to address ranges", () => {
  const from = (key: string, forwarded: string | null) =>
    ask(whoami, "whoami", {
      token: key,
      headers: forwarded === null ? {} : { "x-forwarded-for": forwarded },
    });
  const ranges = ["198.51.100.0/24", "2001:db8:1::/48", "203.0.113.7"];

  test.each([
    ["an address in the range", "198.51.100.1"],
    ["a single address", "203.0.113.7"],
    ["IPv6 in any spelling", "2001:0DB8:0001:0000::0042"],
    ["IPv4 mapped into IPv6", "::ffff:198.51.100.9"],
    ["the right end of a chain", "10.0.0.1, 192.0.2.1, 198.51.100.1"],
  ])("works from %s", async (_, forwarded) => {
    expect((await from(await fenced({ ip_ranges: ranges }), forwarded)).status).toBe(200);
  });

  test.each([
    ["another address", "198.51.101.1"],
    ["a forged left end", "198.51.100.1, 192.0.2.1"],
    ["no address at all", null],
    ["an empty header", ""],
    ["octal", "198.51.0144.1"],
    ["a leading zero", "0198.51.100.1"],
    ["a zone", "2001:db8:1::1%eth0"],
    ["a port", "198.51.100.1:443"],
    ["brackets", "[2001:db8:1::1]"],
    ["an empty right end", "198.51.100.1, "],
    ["a name", "localhost"],
  ])("is refused from %s", async (_, forwarded) => {
    violated(await from(await fenced({ ip_ranges: ranges }), forwarded), "ip_ranges");
  });

  test("reads no octal, whichever way it would be inside", async () => {
    const key = await fenced({ ip_ranges: ["10.0.0.0/8", "8.0.0.0/8"] });
    for (const forwarded of ["010.0.0.1", "::ffff:010.0.0.1", "0x0a.0.0.1", "10.1", "167772161"]) {
      violated(await from(key, forwarded), "ip_ranges");
    }
    expect((await from(key, "10.0.0.1")).status).toBe(200);
  });

  test("sends nothing from outside, and stores nothing", async () => {
    const key = await fenced({ ip_ranges: ranges });
    const before = await stored();
    const outside = { "x-forwarded-for": "198.51.100.1, 192.0.2.1" };
    violated(await send(key, {}, outside), "ip_ranges");
    violated(
      await send(key, { attachments: [{ filename: "a", content: btoa("out") }] }, outside),
      "ip_ranges",
    );
    expect(await stored()).toEqual(before);
    const inside = { "x-forwarded-for": "198.51.100.1" };
    const attachments = [{ filename: "a", content: btoa("in") }];
    expect((await send(key, { attachments }, inside)).status).toBe(202);
  });

  test("fences no session, from wherever it comes", async () => {
    for (const forwarded of [null, "192.0.2.1", "garbage"]) {
      expect((await from(tenant.owner.access_token, forwarded)).status).toBe(200);
    }
  });

  test("trusts as many proxies as it is told, and refuses a shorter chain", async () => {
    const key = await fenced({ ip_ranges: ranges });
    vi.stubEnv("MAILPIPE_TRUSTED_HOPS", "2");
    expect((await from(key, "192.0.2.1, 198.51.100.1, 10.0.0.1")).status).toBe(200);
    violated(await from(key, "198.51.100.1"), "ip_ranges");
    vi.stubEnv("MAILPIPE_TRUSTED_HOPS", "0");
    violated(await from(key, "198.51.100.1"), "ip_ranges");
  });
});

describe("a child", () => {
  const wide = {
    sending_domains: ["acme.example", "b.example"],
    recipient_domains: ["example.net", "b.example"],
    ip_ranges: ["198.51.100.0/24"],
  };
  const inside = { "x-forwarded-for": "198.51.100.1" };
  const child = (token: string, body: object) =>
    ask(issueKey, "issue-key", {
      token,
      headers: inside,
      body: { name: "child", environment: "test", scopes: ["mail:send"] satisfies Scope[], ...body },
    });

  test("has its issuer's fences and limits where it names none, and may have narrower ones", async () => {
    const issuer = await fenced(wide, { limits: { per_minute: 100 } });
    const { body } = await child(issuer, {});
    expect(body).toMatchObject({
      fences: { ...wide, mailboxes: null },
      limits: { per_minute: 100, per_day: null },
    });
    const narrow = await child(issuer, {
      fences: { sending_domains: ["acme.example"], ip_ranges: ["198.51.100.128/25"] },
      limits: { per_minute: 5, per_day: 50 },
    });
    expect(narrow.body).toMatchObject({
      fences: {
        sending_domains: ["acme.example"],
        recipient_domains: wide.recipient_domains,
        ip_ranges: ["198.51.100.128/25"],
      },
      limits: { per_minute: 5, per_day: 50 },
    });
    const none = await child(issuer, {
      fences: { sending_domains: null, ip_ranges: null },
      limits: { per_minute: null },
    });
    expect(none.body).toMatchObject({ fences: wide, limits: { per_minute: 100 } });
  });

  test("is held by a fence it inherited", async () => {
    const { body } = await child(await fenced(wide), {});
    const sent = (more: object, headers: object = inside) => send(String(body.key), more, headers);
    expect((await sent({})).status).toBe(202);
    violated(await sent({ from: "a@evil.example" }), "sending_domains");
    violated(await sent({ to: ["x@evil.example"] }), "recipient_domains: to[0]");
    violated(await sent({}, {}), "ip_ranges");
  });

  test("may be fenced where its issuer is not", async () => {
    const answer = await child(tenant.test, { fences: wide });
    expect(answer.body.fences).toMatchObject(wide);
  });

  test("is for its issuer's mailboxes, or some of them, and for no other", async () => {
    const make = async (address: string) =>
      String((await ask(mailboxes, "mailboxes", { token: tenant.test, body: { address } })).body.id);
    const [one, two, other] = [
      await make("1@acme.example"),
      await make("2@acme.example"),
      await make("3@acme.example"),
    ];
    const issuer = await fenced({ mailboxes: [one, two] });
    expect((await child(issuer, {})).body.fences).toMatchObject({ mailboxes: [one, two].sort() });
    const narrow = await child(issuer, { fences: { mailboxes: ["2@acme.example"] } });
    expect(narrow.body.fences).toMatchObject({ mailboxes: [two] });
    for (const name of [other, "3@acme.example", `mbx_${"0".repeat(26)}`]) {
      violated(await child(issuer, { fences: { mailboxes: [two, name] } }), "mailboxes");
    }
  });

  test.each<[string, object]>([
    ["sending_domains", { fences: { sending_domains: ["acme.example", "c.example"] } }],
    ["recipient_domains", { fences: { recipient_domains: ["c.example"] } }],
    ["ip_ranges", { fences: { ip_ranges: ["198.51.0.0/16"] } }],
    ["ip_ranges", { fences: { ip_ranges: ["198.51.100.0/25", "2001:db8::/32"] } }],
    ["ip_ranges", { fences: { ip_ranges: ["::ffff:198.51.0.0/112"] } }],
    ["sending_domains", { fences: { sending_domains: ["mail.acme.example"] } }],
    ["per_minute", { limits: { per_minute: 101 } }],
    ["per_day", { limits: { per_day: 1001 } }],
  ])("is 403 fence_violated for wider %s", async (fence, body) => {
    const issuer = await fenced(wide, { limits: { per_minute: 100, per_day: 1000 } });
    violated(await child(issuer, body), fence);
  });

  test("of sixteen limited keys in a row is the last", async () => {
    let token = await fenced({}, { limits: { per_day: 1000 } });
    for (let depth = 2; depth <= 16; depth++) {
      token = String((await child(token, { scopes: ["keys:write"], limits: { per_day: 1000 } })).body.key);
    }
    expect((await child(token, { scopes: ["keys:write"] })).status).toBe(201);
    expect(refusal(await child(token, { scopes: ["keys:write"], limits: { per_day: 1 } }))).toEqual([
      422,
      "invalid_request",
      "limits",
    ]);
  });
});

describe("issue-key is 422 for", () => {
  const many = (one: (index: number) => string) => Array.from({ length: 101 }, (_, index) => one(index));

  test.each<[string, object, string]>([
    ["every address", { fences: { ip_ranges: ["0.0.0.0/0"] } }, "fences.ip_ranges[0]"],
    ["every IPv6 address", { fences: { ip_ranges: ["192.0.2.1", "::/0"] } }, "fences.ip_ranges[1]"],
    ["every IPv4 address, mapped", { fences: { ip_ranges: ["::ffff:0:0/96"] } }, "fences.ip_ranges[0]"],
    ["no range", { fences: { ip_ranges: [] } }, "fences.ip_ranges"],
    ["no domain", { fences: { sending_domains: [] } }, "fences.sending_domains"],
    ["no recipient domain", { fences: { recipient_domains: [] } }, "fences.recipient_domains"],
    ["no mailbox", { fences: { mailboxes: [] } }, "fences.mailboxes"],
    ["bits beyond the prefix", { fences: { ip_ranges: ["198.51.100.1/24"] } }, "fences.ip_ranges[0]"],
    ["a prefix too long", { fences: { ip_ranges: ["198.51.100.0/33"] } }, "fences.ip_ranges[0]"],
    ["a prefix with a zero before it", { fences: { ip_ranges: ["198.0.0.0/08"] } }, "fences.ip_ranges[0]"],
    ["an octal address", { fences: { ip_ranges: ["010.0.0.1"] } }, "fences.ip_ranges[0]"],
    [
      "part of every IPv4 address, mapped",
      { fences: { ip_ranges: ["::ffff:0:0/95"] } },
      "fences.ip_ranges[0]",
    ],
    ["a zone", { fences: { ip_ranges: ["fe80::1%eth0/64"] } }, "fences.ip_ranges[0]"],
    ["101 ranges", { fences: { ip_ranges: many((index) => `10.0.${index}.0/24`) } }, "fences.ip_ranges"],
    ["a range as a text", { fences: { ip_ranges: "10.0.0.0/8" } }, "fences.ip_ranges"],
    ["a domain as a text", { fences: { sending_domains: "acme.example" } }, "fences.sending_domains"],
    [
      "a domain with a path",
      { fences: { sending_domains: ["acme.example/x"] } },
      "fences.sending_domains[0]",
    ],
    [
      "a domain with a port",
      { fences: { sending_domains: ["acme.example:25"] } },
      "fences.sending_domains[0]",
    ],
    [
      "a domain with a dot at its end",
      { fences: { sending_domains: ["a.example."] } },
      "fences.sending_domains[0]",
    ],
    [
      "an IPv6 address as a domain",
      { fences: { recipient_domains: ["[::1]"] } },
      "fences.recipient_domains[0]",
    ],
    ["a list as a domain", { fences: { sending_domains: [["a.example"]] } }, "fences.sending_domains[0]"],
    ["a number as a range", { fences: { ip_ranges: [10] } }, "fences.ip_ranges[0]"],
    [
      "101 domains",
      { fences: { sending_domains: many((index) => `a${index}.example`) } },
      "fences.sending_domains",
    ],
    ["101 mailboxes", { fences: { mailboxes: many((index) => `a${index}@b.example`) } }, "fences.mailboxes"],
    ["a mailbox that is a domain", { fences: { mailboxes: ["acme.example"] } }, "fences.mailboxes[0]"],
    ["fences as a text", { fences: "acme.example" }, "fences"],
    ["fences that are null", { fences: null }, "fences"],
    ["limits as a list", { limits: [10] }, "limits"],
    ["limits as a number", { limits: 10 }, "limits"],
    ["a limit as a list", { limits: { per_day: [10] } }, "limits.per_day"],
    ["a name as a list", { name: ["a"] }, "name"],
    ["a domain with an at", { fences: { sending_domains: ["@acme.example"] } }, "fences.sending_domains[0]"],
    ["a wildcard", { fences: { sending_domains: ["*.acme.example"] } }, "fences.sending_domains[0]"],
    ["an address as a domain", { fences: { sending_domains: ["192.0.2.1"] } }, "fences.sending_domains[0]"],
    ["a top-level domain", { fences: { sending_domains: ["example"] } }, "fences.sending_domains[0]"],
    ["a fence there is not", { fences: { countries: ["AQ"] } }, "fences.countries"],
    ["fences as a list", { fences: [] }, "fences"],
    ["a limit of zero", { limits: { per_minute: 0 } }, "limits.per_minute"],
    ["a limit below zero", { limits: { per_day: -1 } }, "limits.per_day"],
    ["half a limit", { limits: { per_day: 1.5 } }, "limits.per_day"],
    ["a limit as a text", { limits: { per_day: "10" } }, "limits.per_day"],
    ["a limit beyond a million", { limits: { per_day: 1_000_001 } }, "limits.per_day"],
    ["a limit there is not", { limits: { per_year: 1 } }, "limits.per_year"],
    ["an id", { id: `key_${"0".repeat(26)}` }, "id"],
    ["a time of issue", { created_at: "2001-01-01T00:00:00Z" }, "created_at"],
    ["an organization", { organization_id: `org_${"0".repeat(26)}` }, "organization_id"],
    ["an issuer", { issued_by: `key_${"0".repeat(26)}` }, "issued_by"],
    ["a revocation", { revoked_at: null }, "revoked_at"],
    ["a hash", { hash: "0".repeat(64) }, "hash"],
    ["a window", { window_id: "x" }, "window_id"],
    ["honey as a text", { honey: "yes" }, "honey"],
    ["10,000 scopes", { scopes: Array.from({ length: 10_000 }, () => "mail:send") }, "scopes"],
  ])("%s", async (_, more, path) => {
    expect(refusal(await askIssue(undefined, more))).toEqual([422, "invalid_request", path]);
  });

  test("every field that is not the caller's to set, and names each", async () => {
    const fields = [
      "organization_id",
      "issued_by",
      "issued_by_key",
      "revoked_at",
      "created_at",
      "hash",
      "id",
      "limited_by",
      "honey_used_at",
      "replaces",
    ];
    const more = Object.fromEntries(fields.map((field) => [field, null]));
    expect(refusal(await askIssue(undefined, more))).toEqual([422, "invalid_request", ...fields]);
  });

  test("10,000 scopes there are not, at once and in few words", async () => {
    const more = { scopes: Array.from({ length: 10_000 }, (_, index) => `scope:${index}`) };
    const started = performance.now();
    const answer = await askIssue(undefined, more);
    expect(refusal(answer)).toEqual([422, "invalid_request", "scopes"]);
    expect(answer.text.length).toBeLessThan(2_000);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("bits beyond a prefix, and says what to write", async () => {
    const { text } = await askIssue({ ip_ranges: ["198.51.100.1/24"] });
    expect(text).toContain("198.51.100.0/24");
  });
});

// The last, because only here a worker answers.
describe("a key fenced to mailboxes, once a worker answers,", () => {
  test("may wait for what another key sent from its address under the same idempotency key", async () => {
    await api.serveFunctions({ "deliver-mail": deliverMail });
    const token = tenant.test;
    const address = "waits@acme.example";
    await ask(mailboxes, "mailboxes", { token, body: { address } });
    const key = await fenced({ mailboxes: [address] });
    const body = { ...mail, from: address, wait: true };
    const headers = { "idempotency-key": "shared" };
    const first = await ask(sendMail, "send-mail", { token, body, headers });
    expect(first.status).toBe(200);
    expect(await ask(sendMail, "send-mail", { token: key, body, headers })).toMatchObject({
      status: 200,
      body: { id: first.body.id },
    });
  });
});
