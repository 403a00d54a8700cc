import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import messages from "../../functions/messages/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal, rows } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
const ids: string[] = [];
const plain = { from: "Ada <ada@s.example>", to: ["bob@r.example"], subject: "Plain", text: "One\nline" };

async function send(changes: object, token = tenant.test): Promise<string> {
  const answer = await ask(sendMail, "send-mail", { token, body: { ...plain, ...changes } });
  expect(answer.status, answer.text).toBe(202);
  return String(answer.body.id);
}

const list = (query = "", token = tenant.test) => ask(messages, `messages${query}`, { token });
const get = (id: string, token = tenant.test) => ask(messages, `messages/${id}`, { token });
const found = async (query: string) => rows(await list(query)).map(({ id }) => id);

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  await api.database.setClock("2026-05-01T10:00:00.000Z");
  for (let count = 0; count < 12; count++) {
    if (count === 8) await api.database.advanceClock("1 hour");
    ids.push(await send({ tags: count % 2 === 0 ? ["even", `t${count}`] : [], subject: `No ${count}` }));
  }
});
afterAll(() => api.close());

describe("GET messages", () => {
  test("pages through every message once, newest first, even those of one moment", async () => {
    const seen: unknown[] = [];
    let query = "?limit=5";
    for (let page = 0; page < 5 && query !== ""; page++) {
      const answer = await list(query);
      seen.push(...rows(answer).map(({ id }) => id));
      query = answer.body.next === null ? "" : `?limit=5&cursor=${String(answer.body.next)}`;
    }
    expect(seen).toEqual(await found("?limit=100"));
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(new Set(seen.slice(0, 4))).toEqual(new Set(ids.slice(8)));
  });

  test("filters by tag, sender, direction, status, time and whether it was read", async () => {
    expect(new Set(await found("?tag=even"))).toEqual(new Set(ids.filter((_, index) => index % 2 === 0)));
    expect(await found("?tag=t4")).toEqual([ids[4]]);
    expect(await found("?tag=T4")).toEqual([]);
    expect(await found("?from=ADA@s.example&limit=100")).toHaveLength(12);
    expect(await found("?from=bob@r.example")).toEqual([]);
    expect(await found("?direction=outbound&status=queued")).toHaveLength(12);
    expect(await found("?direction=inbound")).toEqual([]);
    expect(await found("?read=false")).toHaveLength(12);
    expect(await found("?read=true")).toEqual([]);
    expect(new Set(await found("?since=2026-05-01T11:00:00Z"))).toEqual(new Set(ids.slice(8)));
    expect(new Set(await found("?until=2026-05-01T13:00:00%2B02:00"))).toEqual(new Set(ids.slice(0, 8)));
  });

  test("joins filters by and, and keeps them across pages", async () => {
    const first = await list("?tag=even&limit=4&status=queued");
    const second = await list(`?tag=even&limit=4&status=queued&cursor=${String(first.body.next)}`);
    expect([...rows(first), ...rows(second)]).toHaveLength(6);
    expect(await found("?tag=even&direction=inbound")).toEqual([]);
  });

  test("filters by thread", async () => {
    const [first] = rows(await list("?limit=1"));
    expect(await found(`?thread_id=${String(first?.thread_id)}`)).toEqual([first?.id]);
    expect(await found(`?thread_id=thr_${"0".repeat(26)}`)).toEqual([]);
  });

  test.each([
    ["direction=both", "direction"],
    ["status=done", "status"],
    ["read=yes", "read"],
    ["since=yesterday", "since"],
    ["since=0000-01-01T00:00:00Z", "since"],
    ["until=9999-12-31T23:59:59-01:00", "until"],
    ["mailbox_id=msg_1", "mailbox_id"],
    ["thread_id=%00", "thread_id"],
    ["from=a", "from"],
    ["from=a%00@b.example", "from"],
    [`from=${"a".repeat(255)}`, "from"],
    ["tag=", "tag"],
    ["tag=a%00b", "tag"],
    [`tag=${"a".repeat(257)}`, "tag"],
  ])("is 422 for ?%s", async (query, path) => {
    expect(refusal(await list(`?${query}`))).toEqual([422, "invalid_request", path]);
  });

  test("takes what looks like SQL for a text", async () => {
    expect(await found(`?tag=${encodeURIComponent("' or true --")}`)).toEqual([]);
    expect(await found(`?from=${encodeURIComponent("%@%.example")}`)).toEqual([]);
  });

  test("shows a test key no live row, a live key no test row, and nobody another tenant's", async () => {
    const other = await foundTenant(api, "other");
    expect(rows(await list("", tenant.live))).toEqual([]);
    expect(rows(await list("", other.test))).toEqual([]);
  });
});

describe("GET messages/<id>", () => {
  test("shows everything that was given, and what became of it", async () => {
    const bytes = Buffer.from([0, 1, 2, 253, 254, 255]);
    const id = await send({
      to: ["Bob <bob@r.example>", { email: "eve@r.example", name: "Eve, the 2nd" }],
      cc: ["carol@r.example"],
      bcc: ["dan@r.example"],
      reply_to: "Replies <re@s.example>",
      subject: "Grüße 漢字",
      html: "<p>Hi</p>",
      headers: { "X-One": "1" },
      tags: ["a", "b"],
      metadata: { order: "7" },
      attachments: [{ filename: "ä.bin", content: bytes.toString("base64"), content_id: "c1" }],
    });
    const headers = { apikey: api.secretKey };
    await ask(deliverMail, "deliver-mail", { headers, body: { message_id: id } });
    const { body, status } = await get(id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      direction: "outbound",
      status: "delivered",
      environment: "test",
      from: "Ada <ada@s.example>",
      to: ["Bob <bob@r.example>", '"Eve, the 2nd" <eve@r.example>'],
      cc: ["carol@r.example"],
      bcc: ["dan@r.example"],
      reply_to: [{ email: "re@s.example", name: "Replies" }],
      subject: "Grüße 漢字",
      snippet: "One line",
      text: "One\nline",
      html: "<p>Hi</p>",
      headers: { "X-One": "1" },
      tags: ["a", "b"],
      metadata: { order: "7" },
      has_attachments: true,
      raw_url: null,
    });
    const recipients = body.recipients as { address: string; kind: string; status: string }[];
    expect(recipients.map(({ address, kind, status }) => `${kind} ${address} ${status}`)).toEqual([
      "to bob@r.example delivered",
      "to eve@r.example delivered",
      "cc carol@r.example delivered",
      "bcc dan@r.example delivered",
    ]);
    const events = body.events as { type: string }[];
    expect(events.map(({ type }) => type)).toEqual(["email.queued", "email.sent", "email.delivered"]);
    const [file] = body.attachments as { url: string; sha256: string; size_bytes: number }[];
    expect(file).toMatchObject({
      filename: "ä.bin",
      content_type: "application/octet-stream",
      size_bytes: 6,
    });
    expect(file?.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
  });

  test("links to an attachment's bytes as a download nobody's browser will show, without a credential", async () => {
    const content = Buffer.from("<script>alert(1)</script>").toString("base64");
    const id = await send({ attachments: [{ filename: "x.html", content, content_type: "text/html" }] });
    const [file] = (await get(id)).body.attachments as { url: string }[];
    const response = await fetch(file?.url ?? "");
    expect(await response.text()).toBe("<script>alert(1)</script>");
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment/);
    const forged = (file?.url ?? "").replace(/token=./, "token=A");
    expect((await fetch(forged)).ok).toBe(false);
  });

  test("shows nobody where the bytes lie", async () => {
    const id = await send({ attachments: [{ filename: "a", content: "YQ==" }] });
    expect((await get(id)).text).not.toContain("storage_key");
  });

  test("is 404 for a live key, for another tenant and for what is no id", async () => {
    const other = await foundTenant(api, "third");
    const [id = ""] = ids;
    for (const token of [tenant.live, other.test]) {
      expect(refusal(await get(id, token))).toEqual([404, "not_found"]);
    }
    for (const none of [`msg_${"0".repeat(26)}`, "%00", "msg_1", "'--", "..%2F..", `key_${"0".repeat(26)}`]) {
      expect(refusal(await get(none))).toEqual([404, "not_found"]);
    }
  });
});
