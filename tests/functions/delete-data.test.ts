import { Buffer } from "node:buffer";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import deleteData from "../../functions/delete-data/index.ts";
import deliverMail from "../../functions/deliver-mail/index.ts";
import exportData from "../../functions/export-data/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import messages from "../../functions/messages/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal, rows } from "../support/ask.ts";
import { dataStep, runAllDataJobs } from "../support/data-jobs.ts";
import { postMail, processAll } from "../support/inbound.ts";
import { keepLog } from "../support/log.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";
import { everyTable, fillEveryTable, organizationRows, tablesThatMention } from "../support/every-table.ts";

let api: Api;
let account: SmtpAccount;
let tenant: Tenant;
let smtp: Connected;
let named = 0;
// Objects go a quarter of an hour after they were written: our clock is ahead of Storage's by as much.
const now = Date.now() + 16 * 60_000;
const inTest = { "x-mailpipe-environment": "test" };

const ask_ = (body: unknown, token = tenant.live, headers = {}) =>
  ask(deleteData, "delete-data", { token, body, headers });
const receipt = (confirm: unknown) => ask(deleteData, "delete-data/receipt", { body: { confirm } });

/** Asks, and confirms with what was answered. */
async function confirmed(request: Record<string, unknown>, token = tenant.live): Promise<Answer> {
  const asked = await ask_(request, token);
  expect(asked.status, asked.text).toBe(202);
  return await ask_({ ...request, confirm: asked.body.confirm }, token);
}

const receiptOf = ({ body }: Answer) => body.receipt as Record<string, unknown>;
const inbound = (id: string, lines: string[]) =>
  postMail(smtp, lines.join("\r\n"), { id, to: "in@acme.example" });

async function deliver(): Promise<void> {
  await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} });
}

async function send(to: string, more: Record<string, unknown> = {}, token = tenant.live): Promise<string> {
  const body = { from: "news@acme.example", to: [to], subject: "s", text: "t", ...more };
  const sent = await ask(sendMail, "send-mail", { token, body });
  await deliver();
  return String(sent.body.id);
}

async function objects(): Promise<string[]> {
  const found = await api.database.sql("postgres")<{ name: string }[]>`
    select name from storage.objects
    where bucket_id = 'mailpipe' and starts_with(name, ${tenant.organization_id}) order by name
  `;
  return found.map(({ name }) => name);
}

async function messageIds(token = tenant.live): Promise<unknown[]> {
  return rows(await ask(messages, "messages", { token })).map(({ id }) => id);
}

beforeAll(async () => {
  keepLog();
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  api = await startApi();
  account = await startSmtpAccount();
  await api.database.setClock(new Date(now).toISOString());
});

async function newTenant(): Promise<void> {
  tenant = await foundTenant(api, `delete${named++}`);
  smtp = await connect(tenant.live, "smtp", account.credentials);
}
afterAll(async () => {
  delete process.env["MAILPIPE_EGRESS_ALLOW"];
  await account?.close();
  await api?.close();
});

describe("deleting a message", () => {
  beforeEach(newTenant);

  test("takes two calls: the first counts, the second says the same with its token", async () => {
    const attachments = [{ filename: "a.txt", content: Buffer.from("hello").toString("base64") }];
    const id = await send("ada@example.net", { attachments });
    const other = await send("ada@example.net");
    const asked = await ask_({ what: "message", id });
    expect(asked).toMatchObject({ status: 202, body: { counts: { messages: 1, attachments: 1 } } });
    expect(asked.body.confirm).toMatch(/^mpd_[\w-]{43}$/);
    expect(await messageIds()).toContain(id);
    expect(await objects()).toHaveLength(1);
    const done = await ask_({ what: "message", id, confirm: asked.body.confirm });
    expect(receiptOf(done)).toMatchObject({ what: "message", environment: "live", state: "running" });
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([other]);
    expect(await objects()).toEqual([]);
    const shown = await ask(deleteData, `delete-data/${String(asked.body.id)}`, { token: tenant.live });
    expect(shown.body).toMatchObject({ state: "done", removed: { messages: 1, objects: 1 } });
    expect((await ask_({ what: "message", id, confirm: asked.body.confirm })).body).toEqual({
      receipt: shown.body,
    });
  });

  test("keeps bytes another message has as well, and a copy in another mailbox", async () => {
    const attachments = [{ filename: "a.txt", content: Buffer.from("hello").toString("base64") }];
    const [one] = [
      await send("a@example.net", { attachments }),
      await send("b@example.net", { attachments }),
    ];
    await confirmed({ what: "message", id: one });
    await runAllDataJobs(api);
    expect(await objects()).toHaveLength(1);
  });

  test("takes raw mail, its stored request, events, deliveries and an empty thread along", async () => {
    await ask(mailboxes, "mailboxes", { token: tenant.live, body: { address: "in@acme.example" } });
    await inbound("in-1", ["From: eve@elsewhere.example", "To: in@acme.example", "Subject: x", "", "body"]);
    await processAll(api);
    const [id] = await messageIds();
    expect(await objects()).toHaveLength(1);
    await confirmed({ what: "message", id });
    await runAllDataJobs(api);
    expect(await objects()).toEqual([]);
    const left = await organizationRows(api, tenant.organization_id);
    for (const table of ["messages", "recipients", "deliveries", "threads", "inbound_requests"]) {
      expect([table, left[table]]).toEqual([table, 0]);
    }
    const told = await api.database.sql("postgres")`
      select from mailpipe.events where organization_id = ${tenant.organization_id} and message_id is not null
    `;
    expect(told).toHaveLength(0);
  });

  test("waits for a worker that holds it", async () => {
    const id = await send("ada@example.net");
    const sql = api.database.sql("postgres");
    await sql`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id, lease_until, due_at)
      values (${tenant.organization_id}, 'live', 'deliver_message', ${id}, now() + interval '1 hour', now() + interval '1 hour')
    `;
    await confirmed({ what: "message", id });
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([id]);
    await sql`delete from mailpipe.jobs where kind = 'deliver_message' and subject_id = ${id}`;
    await sql`update mailpipe.jobs set due_at = now() where kind = 'delete_data'`;
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([]);
  });

  test("lets bytes be that were written a moment ago, for a new message may be about to have them", async () => {
    const attachments = [{ filename: "z.txt", content: Buffer.from("the same bytes").toString("base64") }];
    const [a, b] = [
      await send("ada@example.net", { attachments }),
      await send("bob@example.net", { attachments }),
    ];
    await api.database.setClock(new Date().toISOString());
    await confirmed({ what: "message", id: a });
    const done = await confirmed({ what: "message", id: b });
    await runAllDataJobs(api);
    expect(await objects()).toHaveLength(1);
    const c = await send("eve@example.net", { attachments });
    await api.database.setClock(new Date(now).toISOString());
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([c]);
    expect(await objects()).toHaveLength(1);
    const shown = await ask(deleteData, `delete-data/${String(receiptOf(done)["id"])}`, {
      token: tenant.live,
    });
    expect(shown.body.state).toBe("done");
  });

  test("leaves exports alone, also for a test key: theirs is the whole organization", async () => {
    const id = await send("ada@example.net", {}, tenant.test);
    const { body } = await ask(exportData, "export-data", { method: "POST", token: tenant.live });
    await runAllDataJobs(api);
    const done = await confirmed({ what: "message", id }, tenant.test);
    await runAllDataJobs(api);
    expect(receiptOf(done)["backups"]).toContain("exports from before");
    const shown = await ask(exportData, `export-data/${String(body.id)}`, { token: tenant.live });
    expect(shown.body.state).toBe("ready");
  });
});

describe("deleting a mailbox", () => {
  beforeEach(newTenant);

  test("takes its mail and itself, and nobody else's", async () => {
    const { body: mailbox } = await ask(mailboxes, "mailboxes", {
      token: tenant.live,
      body: { address: "in@acme.example" },
    });
    await inbound("in-1", ["From: eve@elsewhere.example", "To: in@acme.example", "Subject: x", "", "body"]);
    await postMail(smtp, "Subject: y\r\n\r\nto nobody", { id: "in-2", to: "nobody@acme.example" });
    await processAll(api);
    const kept = await send("ada@example.net");
    await confirmed({ what: "mailbox", id: mailbox.id });
    await runAllDataJobs(api);
    const left = await messageIds();
    expect(left).toContain(kept);
    expect(left).toHaveLength(2);
    expect(rows(await ask(mailboxes, "mailboxes", { token: tenant.live }))).toEqual([]);
  });
});

describe("deleting a person", () => {
  beforeEach(newTenant);

  const person = "ada.lovelace@example.net";

  test("takes mail from and to the address, and the address out of every other row", async () => {
    await fillEveryTable(api, tenant, "Ada.Lovelace@Example.net");
    const near = await send("x.ada.lovelace@example.net", { text: "not ada.lovelace@example.net.au" });
    const mine = await send(person);
    const copied = await send("bob@example.net", { cc: [`Ada <${person}>`] });
    const naming = await send("bob@example.net", { text: `\r\n${person}\r\n`, metadata: { who: person } });
    await send("bob@example.net", { headers: { "X-About": `<${person}>` } }, tenant.test);
    const other = await foundTenant(api, `neighbour${named++}`);
    await send(person, {}, other.test);

    expect((await tablesThatMention(api, tenant.organization_id, person)).length).toBeGreaterThan(10);
    await ask_({ what: "person", id: person });
    const asked = await ask_({ what: "person", id: "Ada.Lovelace@Example.NET" });
    expect(asked.body.counts).toMatchObject({ messages: 3 });
    await ask_({ what: "person", id: person, confirm: asked.body.confirm });
    await runAllDataJobs(api);

    expect(await tablesThatMention(api, tenant.organization_id, person)).toEqual([]);
    const left = await messageIds();
    expect(left).toEqual(expect.arrayContaining([near, naming]));
    expect(left).not.toEqual(expect.arrayContaining([mine]));
    expect(left).not.toEqual(expect.arrayContaining([copied]));
    const { body } = await ask(messages, `messages/${naming}`, { token: tenant.live });
    expect(body).toMatchObject({ text: "\r\n***\r\n", metadata: { who: "***" } });
    expect(await messageIds(other.test)).toHaveLength(1);
    const shown = await receipt(asked.body.confirm);
    expect(shown.body).toMatchObject({
      state: "done",
      environment: null,
      removed: { messages: 3, redacted: expect.any(Number) },
    });
    expect(shown.text.toLowerCase()).not.toContain("lovelace");
    expect((await ask(whoami, "whoami", { token: tenant.live })).status).toBe(200);
  }, 60_000);

  test("leaves people whose address only ends like it, and finds other spellings of it", async () => {
    const brien = "brien@p.test";
    const others = [
      "o'brien@p.test",
      "x/brien@p.test",
      "dept=brien@p.test",
      "m\u00fcrien@p.test",
      "brien@p.test.au",
    ];
    const kept = await Promise.all(others.map((to) => send(to, { text: `Dear ${to},` })));
    const { body: mailbox } = await ask(mailboxes, "mailboxes", {
      token: tenant.live,
      body: { address: "o'brien@p.test" },
    });
    const attachments = [{ filename: "cv brien@p.test.pdf", content: Buffer.from("cv").toString("base64") }];
    const spelled = await send("bob@p.test", {
      attachments,
      text: "https://x.test/?to=brien%40p.test, 'brien@p.test'",
      html: "<a>brien&#64;p.test</a>",
    });
    // As long as the column takes: what stands in its place must not be longer.
    const description = `a@b.co ${"y".repeat(493)}`;
    const body = { url: "http://127.0.0.1:9/h?u=brien@p.test&v=brien%40p.test", events: ["*"], description };
    await ask(webhooks, "webhooks", { token: tenant.live, body });
    for (const id of [brien, "a@b.co", "rien@p.test"]) await confirmed({ what: "person", id });
    await runAllDataJobs(api);

    expect(await messageIds()).toEqual(expect.arrayContaining([...kept, spelled]));
    const boxes = rows(await ask(mailboxes, "mailboxes", { token: tenant.live }));
    expect(boxes).toMatchObject([{ id: mailbox.id, address: "o'brien@p.test" }]);
    const { body: shown } = await ask(messages, `messages/${kept[0]}`, { token: tenant.live });
    expect(shown).toMatchObject({ text: "Dear o'brien@p.test," });
    const { body: clean } = await ask(messages, `messages/${spelled}`, { token: tenant.live });
    expect(clean).toMatchObject({
      text: "https://x.test/?to=***, '***'",
      html: "<a>***</a>",
      attachments: [{ filename: "cv ***.pdf" }],
    });
    const [hook] = rows(await ask(webhooks, "webhooks", { token: tenant.live }));
    expect(hook).toMatchObject({
      url: "http://127.0.0.1:9/h?u=***&v=***",
      description: `*** ${"y".repeat(493)}`,
    });
  }, 60_000);

  test("looks into raw bytes, and lets other people's be", async () => {
    await inbound("in-1", [
      "From: eve@elsewhere.example",
      "To: in@acme.example",
      "X-Seen-By: ada.lovelace@example.net",
      "",
      "x",
    ]);
    await inbound("in-2", [
      "From: eve@elsewhere.example",
      "To: in@acme.example",
      "Subject: another",
      "",
      "x",
    ]);
    await processAll(api);
    await api.database.sql("postgres")`
      update mailpipe.messages set headers = '[]' where organization_id = ${tenant.organization_id}
    `;
    expect(await objects()).toHaveLength(2);
    const done = await confirmed({ what: "person", id: person });
    await runAllDataJobs(api);
    expect(await objects()).toHaveLength(1);
    expect(await messageIds()).toHaveLength(2);
    const shown = await ask(deleteData, `delete-data/${String(receiptOf(done)["id"])}`, {
      token: tenant.live,
    });
    expect(shown.body.removed).toEqual({ inbound_requests: 1, objects: 1 });
  });

  test("removes exports, which hold copies, and has one that runs begin anew", async () => {
    await send(person);
    const start = () => ask(exportData, "export-data", { method: "POST", token: tenant.live });
    const first = await start();
    await runAllDataJobs(api);
    const second = await start();
    for (let steps = 0; steps < 12; steps++) await dataStep(api);
    await confirmed({ what: "person", id: person });
    await runAllDataJobs(api);
    const show = (id: unknown) =>
      ask(exportData, `export-data/${String(id)}?limit=100`, { token: tenant.live });
    expect(refusal(await show(first.body.id))).toEqual([404, "not_found"]);
    const ready = await show(second.body.id);
    expect(ready.body).toMatchObject({ state: "ready", progress: { messages: 0 } });
    const parts = ready.body.parts as { url: string }[];
    for (const { url } of parts) expect(await (await fetch(url)).text()).not.toContain(person);
  }, 60_000);

  test("does not let a repeated request be sent anew", async () => {
    const headers = { "idempotency-key": `receipt:${person}` };
    const body = { from: "news@acme.example", to: [person], subject: "s", text: "t" };
    const question = { token: tenant.live, body, headers };
    const sent = await ask(sendMail, "send-mail", question);
    await deliver();
    await confirmed({ what: "person", id: person });
    await runAllDataJobs(api);
    const again = await ask(sendMail, "send-mail", question);
    expect([again.body.id, again.headers.get("idempotent-replayed")]).toEqual([sent.body.id, "true"]);
    expect(await messageIds()).toEqual([]);
  });
});

describe("deleting the organization", () => {
  beforeEach(newTenant);

  test("can be undone for seven days, its mail paused until then", async () => {
    const { organization_id: id, owner: { access_token: token } } = tenant;
    const asked = await ask_({ what: "organization", id }, token);
    expect(asked.body.counts).toMatchObject({ members: 1, api_keys: 2, providers: 1 });
    const done = await ask_({ what: "organization", id, confirm: asked.body.confirm }, token);
    expect(receiptOf(done)).toMatchObject({ state: "waiting", undo_until: expect.any(String) });
    const sql = api.database.sql("postgres");
    const paused = async () =>
      (await sql`select sending_paused from mailpipe.organizations where id = ${id}`)[0]?.["sending_paused"];
    expect(await paused()).toBe(true);
    expect(await dataStep(api)).toBe(0);
    const again = await ask_({ what: "organization", id }, token);
    expect(refusal(await ask_({ what: "organization", id, confirm: again.body.confirm }, token)))
      .toEqual([409, "deletion_pending"]);

    const path = `delete-data/${String(receiptOf(done)["id"])}/undo`;
    const undone = await ask(deleteData, path, { method: "POST", token });
    expect(undone.body).toMatchObject({ state: "undone", undo_until: null });
    expect(await paused()).toBe(false);
    expect(refusal(await ask(deleteData, path, { method: "POST", token }))).toEqual([409, "undo_over"]);
    expect((await sql`select from mailpipe.jobs where organization_id = ${id}`).length).toBe(0);
  });

  test("is confirmed once of several tokens at once", async () => {
    const request = { what: "organization", id: tenant.organization_id };
    const tokens = await Promise.all(Array.from({ length: 6 }, () => ask_(request)));
    const answers = await Promise.all(tokens.map(({ body }) => ask_({ ...request, confirm: body.confirm })));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409, 409]);
    expect(answers.filter(({ body }) => body.code === "deletion_pending")).toHaveLength(5);
    const begun = answers.find(({ status }) => status === 202) ?? answers[0] as Answer;
    const path = `delete-data/${String(receiptOf(begun)["id"])}/undo`;
    expect((await ask(deleteData, path, { method: "POST", token: tenant.live })).status).toBe(200);
  });

  test("leaves nothing of it in the whole database and storage but the receipt", async () => {
    const { organization_id: id, owner: { access_token: token, user_id } } = tenant;
    await fillEveryTable(api, tenant, "grace.hopper@example.net");
    await ask(exportData, "export-data", { method: "POST", token });
    await dataStep(api);
    const before = await organizationRows(api, id);
    expect(Object.entries(before).filter(([, count]) => count === 0)).toEqual([]);
    expect(Object.keys(before).sort()).toEqual(await everyTable(api));
    expect((await objects()).length).toBeGreaterThan(0);
    const bystander = await foundTenant(api, `bystander${named++}`);
    await send("ada@example.net", {}, bystander.test);
    const untouched = await organizationRows(api, bystander.organization_id);

    const before_ = await ask_({ what: "organization", id }, token);
    const undone = await ask_({ what: "organization", id, confirm: before_.body.confirm }, token);
    await ask(deleteData, `delete-data/${String(receiptOf(undone)["id"])}/undo`, { method: "POST", token });
    const asked = await ask_({ what: "organization", id }, token);
    await ask_({ what: "organization", id, confirm: asked.body.confirm }, token);
    await api.database.setClock(new Date(now + 7 * 86_400_000 - 60_000).toISOString());
    await runAllDataJobs(api);
    expect((await ask(whoami, "whoami", { token: tenant.live })).status).toBe(200);
    await api.database.advanceClock("1 hour");
    expect(await dataStep(api)).toBe(1);
    expect(refusal(await ask(whoami, "whoami", { token: tenant.live }))).toEqual([401, "invalid_credential"]);
    expect(refusal(await ask(whoami, "whoami", { token }))).toEqual([400, "organization_required"]);
    await runAllDataJobs(api);

    const left = await organizationRows(api, id);
    expect(Object.entries(left).filter(([table, count]) => count > 0 && table !== "deletions")).toEqual([]);
    expect(await objects()).toEqual([]);
    expect(await tablesThatMention(api, null, id)).toEqual(["mailpipe.deletions"]);
    // The receipt and nothing else: not what was undone or never confirmed.
    expect(left["deletions"]).toBe(1);
    for (const trace of [user_id, "hopper"]) expect(await tablesThatMention(api, null, trace)).toEqual([]);
    const shown = await receipt(asked.body.confirm);
    expect(shown.body).toMatchObject({
      what: "organization",
      state: "done",
      removed: { messages: expect.any(Number), data_keys: 1, members: 1, objects: expect.any(Number) },
    });
    expect(shown.body.backups).toContain(`taken before ${String(shown.body.finished_at)}`);
    expect(shown.text).not.toMatch(/@|hopper/);
    const after = await organizationRows(api, bystander.organization_id);
    expect(after).toEqual(untouched);
  }, 60_000);
});

describe("a deletion is refused", () => {
  beforeAll(newTenant);

  test("to a test key where it concerns the whole organization, and to whoever lacks data:delete", async () => {
    const { organization_id: id } = tenant;
    const admin = await addMember(api, tenant, "admin");
    for (const request of [{ what: "organization", id }, { what: "person", id: "a@example.net" }]) {
      expect(refusal(await ask_(request, tenant.test))).toEqual([403, "live_required"]);
      expect(refusal(await ask_(request, tenant.owner.access_token, inTest))).toEqual([403, "live_required"]);
      expect(refusal(await ask_(request, admin.access_token))).toEqual([403, "scope_missing"]);
    }
    const { key } = await issue(tenant.owner.access_token, { scopes: ["mail:write"] });
    expect(refusal(await ask_({ what: "organization", id }, key))).toEqual([403, "scope_missing"]);
  });

  test("for what is another's, or in the other environment", async () => {
    const other = await foundTenant(api, `theirs${named++}`);
    const id = await send("ada@example.net", {}, other.test);
    for (const token of [tenant.live, tenant.test, other.live]) {
      expect(refusal(await ask_({ what: "message", id }, token))).toEqual([404, "not_found"]);
    }
    const foreign = { what: "organization", id: other.organization_id };
    expect(refusal(await ask_(foreign))).toEqual([404, "not_found"]);
  });

  test("with a token that is another's, for something else, an hour old or made up", async () => {
    const other = await foundTenant(api, `token${named++}`);
    const [one, two] = [await send("a@example.net"), await send("b@example.net")];
    const request = { what: "message", id: one };
    const asked = await ask_(request);
    const theirs = await ask_({ what: "organization", id: other.organization_id }, other.live);
    const mine = { what: "organization", id: tenant.organization_id };
    for (
      const wrong of [
        { ...request, confirm: theirs.body.confirm },
        { ...mine, confirm: theirs.body.confirm },
        { ...mine, confirm: asked.body.confirm },
        { ...request, id: two, confirm: asked.body.confirm },
        { ...request, confirm: "mpd_made_up_by_somebody" },
        { ...request, confirm: "" },
      ]
    ) expect(refusal(await ask_(wrong))).toEqual([409, "confirmation_invalid"]);
    // Promise 8: a test key does nothing to a live row, not even with the token.
    const byTest = await ask_({ ...request, confirm: asked.body.confirm }, tenant.test);
    expect(refusal(byTest)).toEqual([409, "confirmation_invalid"]);
    expect(refusal(await receipt(asked.body.confirm))).toEqual([404, "not_found"]);
    await api.database.sql(
      "postgres",
    )`update mailpipe.deletions set confirm_until = now() where what = 'message'`;
    expect(refusal(await ask_({ ...request, confirm: asked.body.confirm }))).toEqual([
      409,
      "confirmation_invalid",
    ]);
    expect(await messageIds()).toHaveLength(2);
  });

  test.each<[string, unknown, string]>([
    ["nothing said", {}, "what"],
    ["something there is not", { what: "everything", id: "x" }, "what"],
    ["an id of another kind", { what: "message", id: "mbx_00000000000000000000000000" }, "id"],
    ["a person without an address", { what: "person", id: "Ada" }, "id"],
    ["a token that is no text", { what: "person", id: "a@example.net", confirm: 1 }, "confirm"],
    ["a field too many", { what: "person", id: "a@example.net", force: true }, "force"],
  ])("with %s", async (_, body, path) => {
    expect(refusal(await ask_(body))).toEqual([422, "invalid_request", path]);
  });
});
