import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import messages from "../../functions/messages/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { keyChecksum } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendAnswering, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect } from "../support/smtp-account.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let log: string[];
let resend: ResendStandIn;
let answering: ResendAnswering;
const mail = { from: "ada@s.example", to: ["bob@r.example"], subject: "Hello", text: "Hi" };
const file = (content: string, changes: object = {}) => ({ filename: "a.bin", content, ...changes });

beforeAll(async () => {
  log = keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  resend = await startResend((call, response) => {
    if (call.path === "/domains") return json(response, 200, { data: [] });
    answering(call, response);
  });
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([resend.close(), api.close()]);
});

const send = (body: unknown, headers: Record<string, string> = {}, token = tenant.test) =>
  ask(sendMail, "send-mail", { token, body, headers });
const shown = async (id: unknown) =>
  (await ask(messages, `messages/${String(id)}`, { token: tenant.test })).body;

/** How many rows and objects there are of all that a send could leave behind. */
async function stored(): Promise<unknown> {
  const [counts] = await api.database.sql("supabase_admin")`
    select
        (select count(*)::int from mailpipe.messages) as messages,
        (select count(*)::int from mailpipe.recipients) as recipients,
        (select count(*)::int from mailpipe.attachments) as attachments,
        (select count(*)::int from mailpipe.threads) as threads,
        (select count(*)::int from mailpipe.jobs) as jobs,
        (select count(*)::int from mailpipe.events where message_id is not null) as events,
        (select count(*)::int from mailpipe.idempotency_records) as keys,
        (select count(*)::int from storage.objects) as objects
  `;
  return counts;
}

describe("send-mail", () => {
  test("stores message, recipients, job and event before it answers 202", async () => {
    const before = await stored();
    const answer = await send({ ...mail, cc: ["c@r.example"], attachments: [file("aGVsbG8=")] });
    expect(answer).toMatchObject({ status: 202, body: { status: "queued" } });
    expect(await stored()).toEqual({
      ...before as object,
      messages: 1,
      recipients: 2,
      attachments: 1,
      threads: 1,
      jobs: 1,
      events: 1,
      objects: 1,
    });
    expect(await shown(answer.body.id)).toMatchObject({ status: "queued", thread_id: answer.body.thread_id });
  });

  test("costs one SQL call, two with an attachment, and wakes the worker", async () => {
    const calls = () => api.calls.flatMap(({ rpc }) => rpc ?? []);
    api.calls.length = 0;
    await send(mail);
    expect(calls()).toEqual(["send_mail"]);
    api.calls.length = 0;
    await send({ ...mail, attachments: [file("aGVsbG8=")] });
    expect(calls()).toEqual(["authorize_send", "send_mail"]);
    expect(api.calls.filter(({ path }) => path.startsWith("/storage/"))).toHaveLength(1);
  });

  test("takes both spellings of Mailpipe's documentation", async () => {
    const { body } = await send({
      from: { email: "ada@s.example", name: "Ada" },
      to: ["Bob <bob@r.example>", { email: "c@r.example", name: null }],
      replyTo: ["re@s.example"],
      subject: "Both",
      textBody: "text",
      htmlBody: "<p>html</p>",
      attachments: [file("aGVsbG8=", { contentType: "text/plain; charset=utf-8" })],
    });
    expect(await shown(body.id)).toMatchObject({
      from: "Ada <ada@s.example>",
      reply_to: [{ email: "re@s.example", name: null }],
      text: "text",
      html: "<p>html</p>",
      attachments: [{ content_type: "text/plain; charset=utf-8", size_bytes: 5 }],
    });
  });

  test.each([
    ["text", "textBody"],
    ["html", "htmlBody"],
    ["reply_to", "replyTo"],
  ])("refuses %s beside %s: which would count is nobody's guess", async (ours, theirs) => {
    const answer = await send({ ...mail, [ours]: "a@b.example", [theirs]: "a@b.example" });
    expect(refusal(answer)).toContain(theirs);
    expect(answer.status).toBe(422);
  });

  test("keeps text of every plane as it came", async () => {
    const text = "Grüße 漢字 👩‍👩‍👧 \u2028 \\ \" ' $1 \t\r\n\u0007";
    const { body } = await send({
      ...mail,
      subject: "漢字 👩‍👩‍👧",
      text,
      metadata: { ключ: "значение" },
      tags: ["тег"],
    });
    expect(await shown(body.id)).toMatchObject({
      text,
      subject: "漢字 👩‍👩‍👧",
      metadata: { ключ: "значение" },
      tags: ["тег"],
    });
  });

  test("needs a provider for live mail and none for test mail", async () => {
    expect(refusal(await send(mail, {}, tenant.live))).toEqual([422, "no_provider"]);
    expect(refusal(await send({ ...mail, attachments: [file("aGVsbG8=")] }, {}, tenant.live))).toEqual([
      422,
      "no_provider",
    ]);
    expect((await send(mail)).status).toBe(202);
  });

  test("takes no provider of another environment or tenant", async () => {
    const other = await foundTenant(api, "provided");
    const { id } = await connect(other.live, "resend", { api_key: "re_of_a_stand_in" });
    for (const token of [tenant.live, tenant.test, other.test]) {
      expect(refusal(await send({ ...mail, provider_id: id }, {}, token))).toEqual([
        422,
        "invalid_request",
        "provider_id",
      ]);
    }
    expect((await send({ ...mail, provider_id: id }, {}, other.live)).status).toBe(202);
  });
});

describe("an idempotency key", () => {
  const replayed = (answer: Answer) => answer.headers.get("idempotent-replayed");

  test("gives the first answer again, marked, for the same body by meaning", async () => {
    const headers = { "idempotency-key": "same-meaning" };
    const first = await send(mail, headers);
    const before = await stored();
    const { text, subject, to, from } = mail;
    for (const body of [mail, { text, subject, to, from }, { ...mail, cc: [], tags: [] }]) {
      const again = await send(body, headers);
      expect(again).toMatchObject({ status: 202, body: first.body });
      expect(replayed(again)).toBe("true");
    }
    expect(replayed(first)).toBeNull();
    expect(await stored()).toEqual(before);
  });

  test("with another body is 409, and the first stays", async () => {
    const headers = { "idempotency-key": "other-body" };
    const first = await send(mail, headers);
    const others = [{ ...mail, subject: "Other" }, { ...mail, attachments: [file("aGVsbG8=")] }, {
      ...mail,
      tags: ["t"],
    }];
    for (const body of others) {
      expect(refusal(await send(body, headers))).toEqual([409, "idempotency_key_reused"]);
    }
    expect((await send(mail, headers)).body).toEqual(first.body);
  });

  test("compares attachments by their bytes", async () => {
    const headers = { "idempotency-key": "bytes" };
    const first = await send({ ...mail, attachments: [file("aGVsbG8=")] }, headers);
    expect((await send({ ...mail, attachments: [file("aGVsbG8=")] }, headers)).body).toEqual(first.body);
    const changed = await send({ ...mail, attachments: [file("aGVsbG4=")] }, headers);
    expect(refusal(changed)).toEqual([409, "idempotency_key_reused"]);
  });

  test("used fifty times at once makes one message", async () => {
    const { messages: before } = await stored() as { messages: number };
    const headers = { "idempotency-key": "at-once" };
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(mail, headers)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter((answer) => replayed(answer) === null)).toHaveLength(1);
    expect(await stored()).toMatchObject({ messages: before + 1 });
  });

  test("used at once with different bodies makes one message and refuses the others", async () => {
    const { messages: before } = await stored() as { messages: number };
    const bodies = Array.from({ length: 10 }, (_, index) => ({ ...mail, subject: `No ${index}` }));
    const answers = await Promise.all(bodies.map((body) => send(body, { "idempotency-key": "at-odds" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array(9).fill(409) as number[]]);
    expect(await stored()).toMatchObject({ messages: before + 1 });
  });

  test("belongs to one environment of one organization", async () => {
    const other = await foundTenant(api, "sharing");
    const headers = { "idempotency-key": "shared" };
    const ours = await send(mail, headers);
    const theirs = await send(mail, headers, other.test);
    expect(theirs.status).toBe(202);
    expect(theirs.body.id).not.toBe(ours.body.id);
    const sibling = await issue(tenant.owner.access_token, { environment: "test" });
    expect((await send(mail, headers, sibling.key)).body.id).toBe(ours.body.id);
  });

  test("is not remembered for a refusal: the corrected call goes through", async () => {
    const headers = { "idempotency-key": "corrected" };
    expect((await send({ ...mail, to: ["nobody"] }, headers)).status).toBe(422);
    expect((await send(mail, headers, tenant.live)).status).toBe(422);
    expect((await send(mail, headers)).status).toBe(202);
  });

  test("is no way past a revoked key", async () => {
    const { id, key } = await issue(tenant.owner.access_token, { environment: "test" });
    const headers = { "idempotency-key": "revoked" };
    expect((await send(mail, headers, key)).status).toBe(202);
    await api.database.sql(
      "postgres",
    )`update mailpipe.api_keys set revoked_at = mailpipe.clock() where id = ${id}`;
    expect(refusal(await send(mail, headers, key))).toEqual([401, "invalid_credential"]);
  });

  test.each([["", "empty"], ["a b", "blank"], ["é", "é"], ["k".repeat(257), "257 characters"]])(
    "is 400 invalid_header for %j",
    async (key) => {
      expect(refusal(await send(mail, { "idempotency-key": key }))).toEqual([400, "invalid_header"]);
    },
  );

  test("may have 256 characters and any of visible ASCII", async () => {
    expect((await send(mail, { "idempotency-key": "k".repeat(256) })).status).toBe(202);
    expect((await send(mail, { "idempotency-key": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~" })).status).toBe(202);
  });
});

describe("a send that is refused leaves nothing: no row, no byte in the bucket,", () => {
  let before: unknown;
  const attachments = [file("bm90aGluZw==")];
  beforeAll(async () => void (before = await stored()));

  test("for a key that is malformed, unknown, revoked, without the scope, or from a browser", async () => {
    const head = `mp_test_${"c".repeat(32)}`;
    const narrow = await issue(tenant.owner.access_token, { environment: "test", scopes: ["mail:read"] });
    const revoked = await issue(tenant.owner.access_token, { environment: "test" });
    await api.database.sql("postgres")`
      update mailpipe.api_keys set revoked_at = mailpipe.clock() where id = ${revoked.id}
    `;
    const body = { ...mail, attachments };
    for (const token of [`${head}000000`, head + keyChecksum(head), revoked.key]) {
      expect((await send(body, {}, token)).status).toBe(401);
    }
    expect((await send(body, {}, narrow.key)).status).toBe(403);
    expect((await send(body, { origin: "https://page.example" })).status).toBe(401);
    expect(await stored()).toEqual(before);
  });

  const many = (count: number) => Array.from({ length: count }, (_, index) => `r${index}@r.example`);
  const entries = (count: number, value = "v") =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-H-${index}`, value]));

  test.each<[string, object, string]>([
    ["no from", { from: undefined }, "from"],
    ["from as a list", { from: ["a@b.example"] }, "from"],
    ["from as a number", { from: 1 }, "from"],
    ["from without a domain", { from: "ada" }, "from"],
    ["from with a line break", { from: "a@b.example\r\nBcc: c@d.example" }, "from"],
    ["a from name with a line break", { from: { email: "a@b.example", name: "A\r\nB" } }, "from"],
    ["a from name with an encoded line break", { from: "=?utf-8?q?a=0d=0ab?= <a@b.example>" }, "from"],
    ["a from name of 257 characters", { from: { email: "a@b.example", name: "n".repeat(257) } }, "from"],
    ["a from with NUL", { from: "a\0@b.example" }, "from"],
    ["a from with half a character", { from: { email: "a@b.example", name: "\ud83d" } }, "from"],
    ["no to", { to: undefined }, "to"],
    ["to as a text", { to: "b@r.example" }, "to"],
    ["an empty to", { to: [] }, "to"],
    ["an address that is not one", { to: ["b@r.example", "nobody"] }, "to[1]"],
    ["a group", { to: ["friends: a@b.example;"] }, "to[0]"],
    ["two addresses in one", { to: ["a@b.example, c@d.example"] }, "to[0]"],
    ["an address at an IP address", { to: ["a@[10.0.0.1]"] }, "to[0]"],
    ["an address of null", { to: [null] }, "to[0]"],
    ["a cc that is not an address", { cc: ["a@"] }, "cc[0]"],
    ["a bcc with a line break", { bcc: ["a@b.example\nX: y"] }, "bcc[0]"],
    ["51 recipients", { to: many(51) }, "to"],
    ["51 recipients over to, cc and bcc", { to: many(17), cc: many(17), bcc: many(17) }, "to"],
    ["51 addresses to reply to", { reply_to: many(51) }, "reply_to"],
    ["a reply-to that is not an address", { reply_to: "me" }, "reply_to"],
    ["no subject", { subject: undefined }, "subject"],
    ["a subject that is a number", { subject: 1 }, "subject"],
    ["a subject with a line break", { subject: "a\r\nBcc: b@c.example" }, "subject"],
    ["a subject with a carriage return", { subject: "a\rb" }, "subject"],
    ["a subject with a line separator", { subject: "a\u2028b" }, "subject"],
    ["a subject with half a character", { subject: "\udc00" }, "subject"],
    ["a subject of 999 characters", { subject: "s".repeat(999) }, "subject"],
    ["no body", { text: undefined }, "text"],
    ["a text that is null", { text: null }, "text"],
    ["a text with NUL", { text: "a\0b" }, "text"],
    ["an html with half a character", { html: "<p>\ud800</p>" }, "html"],
    ["an html that is a list", { html: ["<p>"] }, "html"],
    ["headers as a list", { headers: ["X: y"] }, "headers"],
    ["51 headers", { headers: entries(51) }, "headers"],
    ["a header of null", { headers: { "X-A": null } }, "headers.X-A"],
    ["a header name with a line break", { headers: { "X-A\r\nBcc": "b" } }, "headers.X-A\r\nBcc"],
    ["a header name with a colon", { headers: { "X:A": "b" } }, "headers.X:A"],
    ["a header name with a blank", { headers: { "X A": "b" } }, "headers.X A"],
    ["a header name of 77 characters", { headers: { ["X".repeat(77)]: "b" } }, `headers.${"X".repeat(77)}`],
    ["a header value with a line break", { headers: { "X-A": "a\r\nBcc: b" } }, "headers.X-A"],
    ["a header value with a line feed", { headers: { "X-A": "a\nb" } }, "headers.X-A"],
    ["a header value with NUL", { headers: { "X-A": "a\0" } }, "headers.X-A"],
    ["a header value with half a character", { headers: { "X-A": "\ud800" } }, "headers.X-A"],
    ["a header value of 999 characters", { headers: { "X-A": "v".repeat(999) } }, "headers.X-A"],
    ["an empty header value", { headers: { "X-A": " " } }, "headers.X-A"],
    ["Bcc as a header", { headers: { BCC: "b@c.example" } }, "headers.BCC"],
    ["Content-Type as a header", { headers: { "content-type": "text/html" } }, "headers.content-type"],
    ["DKIM-Signature as a header", { headers: { "DKIM-Signature": "x" } }, "headers.DKIM-Signature"],
    ["11 tags", { tags: many(11) }, "tags"],
    ["an empty tag", { tags: [""] }, "tags[0]"],
    ["a tag of 257 characters", { tags: ["t".repeat(257)] }, "tags[0]"],
    ["a tag with a line break", { tags: ["a\nb"] }, "tags[0]"],
    ["tags as a text", { tags: "a" }, "tags"],
    ["51 metadata keys", { metadata: entries(51) }, "metadata"],
    ["metadata of 501 characters", { metadata: { k: "v".repeat(501) } }, "metadata.k"],
    ["metadata that is a number", { metadata: { k: 1 } }, "metadata.k"],
    ["metadata with NUL", { metadata: { k: "\0" } }, "metadata.k"],
    ["101 attachments", { attachments: Array.from({ length: 101 }, () => file("YQ==")) }, "attachments"],
    ["an attachment without a name", { attachments: [{ content: "YQ==" }] }, "attachments[0].filename"],
    [
      "an attachment with an empty name",
      { attachments: [file("YQ==", { filename: "" })] },
      "attachments[0].filename",
    ],
    [
      "an attachment name with a line break",
      { attachments: [file("YQ==", { filename: "a\r\nb" })] },
      "attachments[0].filename",
    ],
    [
      "an attachment name of 256 characters",
      { attachments: [file("YQ==", { filename: "f".repeat(256) })] },
      "attachments[0].filename",
    ],
    ["an attachment without content", { attachments: [{ filename: "a" }] }, "attachments[0].content"],
    ["base64 without its padding", { attachments: [file("YQ")] }, "attachments[0].content"],
    ["base64 with a line break", { attachments: [file("YWFh\nYWFh")] }, "attachments[0].content"],
    ["base64 of the URL alphabet", { attachments: [file("-_-_")] }, "attachments[0].content"],
    ["base64 with padding in the middle", { attachments: [file("YQ==YQ==")] }, "attachments[0].content"],
    [
      "a data URL as content",
      { attachments: [file("data:text/plain;base64,YQ==")] },
      "attachments[0].content",
    ],
    [
      "content that is a list of bytes",
      { attachments: [{ filename: "a", content: [1, 2] }] },
      "attachments[0].content",
    ],
    ["a content type with a line break", {
      attachments: [file("YQ==", { content_type: "text/plain\r\nX: y" })],
    }, "attachments[0].content_type"],
    [
      "a content type without a slash",
      { attachments: [file("YQ==", { content_type: "text" })] },
      "attachments[0].content_type",
    ],
    [
      "two content types",
      { attachments: [file("YQ==", { content_type: "a/b", contentType: "a/b" })] },
      "attachments[0].contentType",
    ],
    [
      "a content id with brackets",
      { attachments: [file("YQ==", { content_id: "<a>" })] },
      "attachments[0].content_id",
    ],
    [
      "a content id with a line break",
      { attachments: [file("YQ==", { content_id: "a\r\nb" })] },
      "attachments[0].content_id",
    ],
    [
      "an attachment field there is not",
      { attachments: [file("YQ==", { path: "/etc/passwd" })] },
      "attachments[0].path",
    ],
    ["a provider id that is none", { provider_id: "1" }, "provider_id"],
    ["wait as a text", { wait: "true" }, "wait"],
  ])("with %s is 422", async (_, changes, path) => {
    const answer = await send({ ...mail, attachments, ...changes }, { "idempotency-key": "refused" });
    expect(refusal(answer)).toEqual([422, "invalid_request", path]);
    expect(await stored()).toEqual(before);
  });

  test("and what it named in a body is not in the log", async () => {
    await send({ ...mail, subject: "secret-subject\r\n", headers: { "secret-header:": "x" } });
    expect(log.filter((line) => line.includes("secret-"))).toEqual([]);
  });
});

describe("at its bounds, send-mail takes", () => {
  test("50 recipients, 50 headers, 10 tags, 50 metadata keys of 500 characters and a subject of 998", async () => {
    const fifty = <Value>(value: (index: number) => Value) =>
      Array.from({ length: 50 }, (_, index) => value(index));
    const body = {
      ...mail,
      to: fifty((index) => `r${index}@r.example`),
      subject: "s".repeat(998),
      headers: Object.fromEntries(
        fifty((index) => [`X-H-${index}`, "v".repeat(998 - `X-H-${index}: `.length)]),
      ),
      tags: Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(256, "t")),
      metadata: Object.fromEntries(fifty((index) => [`${index}`.padEnd(100, "k"), "v".repeat(500)])),
    };
    const answer = await send(body);
    expect(answer.status, answer.text).toBe(202);
    expect((await shown(answer.body.id)).recipients).toHaveLength(50);
  });

  test("25 MiB of attachments, and not one byte more", async () => {
    const bytes = 25 * 1024 * 1024;
    const whole = await send({ ...mail, attachments: [file(Buffer.alloc(bytes, 1).toString("base64"))] });
    expect(whole.status, whole.text).toBe(202);
    const before = await stored();
    const over = Buffer.alloc(bytes + 1, 1).toString("base64");
    const half = Buffer.alloc(bytes / 2, 1).toString("base64");
    expect(refusal(await send({ ...mail, attachments: [file(over)] }))).toEqual([413, "payload_too_large"]);
    expect(refusal(await send({ ...mail, attachments: [file(half), file(half), file("YQ==")] }))).toEqual([
      413,
      "payload_too_large",
    ]);
    expect(await stored()).toEqual(before);
  });
});

describe("with wait, send-mail", () => {
  let live: Tenant;
  const wait = { ...mail, wait: true };

  beforeAll(async () => {
    live = await foundTenant(api, "waiting");
    await connect(live.live, "resend", { api_key: "re_of_a_stand_in" });
    await api.serveFunctions({ "deliver-mail": deliverMail });
  });

  test("is 200 and sent once the provider accepted", async () => {
    answering = (_, response) => json(response, 200, { id: "em_1" });
    expect(await send(wait, {}, live.live)).toMatchObject({ status: 200, body: { status: "sent" } });
    expect(resend.calls.at(-1)).toMatchObject({ path: "/emails", body: { subject: "Hello" } });
  });

  test("is 502 provider_refused with message_id and the provider's words when it refused", async () => {
    answering = (_, response) =>
      json(response, 422, { name: "validation_error", message: "from is not verified" });
    const answer = await send(wait, {}, live.live);
    expect(refusal(answer)).toEqual([502, "provider_refused"]);
    expect(answer.body.error).toContain("from is not verified");
    const { body } = await ask(messages, `messages/${String(answer.body.message_id)}`, { token: live.live });
    expect(body).toMatchObject({ id: answer.body.message_id, status: "failed" });
  });

  test("is 504 outcome_unknown with message_id when nobody can say", async () => {
    answering = (_, response) => json(response, 200, { no: "id" });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const jump = setInterval(() => vi.setSystemTime(Date.now() + 80_000), 50);
    const answer = await send(wait, {}, live.live);
    clearInterval(jump);
    vi.useRealTimers();
    expect(refusal(answer)).toEqual([504, "outcome_unknown"]);
    expect(answer.body.message_id).toMatch(/^msg_/);
    expect(answer.body.hint).toContain("blindly");
  });

  test("is 202 while the provider says later", async () => {
    answering = (_, response) => json(response, 429, { name: "rate_limit_exceeded", message: "slow down" });
    expect(await send(wait, {}, live.live)).toMatchObject({ status: 202, body: { status: "queued" } });
  });

  test("sends once for one idempotency key, and says the same again", async () => {
    answering = (_, response) => json(response, 200, { id: "em_2" });
    const before = resend.calls.length;
    const headers = { "idempotency-key": "waited" };
    const first = await send(wait, headers, live.live);
    const again = await send(wait, headers, live.live);
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(resend.calls.length).toBe(before + 1);
  });

  test("delivers to the sandbox with a test key, without a connection", async () => {
    const before = resend.calls.length;
    expect(await send(wait)).toMatchObject({ status: 200, body: { status: "delivered" } });
    expect(resend.calls.length).toBe(before);
  });

  test("asks for no scope beyond mail:send", async () => {
    const { key } = await issue(tenant.owner.access_token, { environment: "test", scopes: ["mail:send"] });
    expect((await send(wait, {}, key)).status).toBe(200);
  });
});
