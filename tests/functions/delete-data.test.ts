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
import { removeStored } from "../../shared/storage.ts";
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

async function paused(): Promise<unknown> {
  const [row] = await api.database.sql("postgres")`
    select sending_paused from mailpipe.organizations where id = ${tenant.organization_id}
  `;
  return row?.["sending_paused"];
}

/** Everything of an organization, in one value to compare with. */
async function contents(organizationId: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of await everyTable(api)) {
    const column = table === "organizations" ? "id" : "organization_id";
    const rows = await api.database.sql("postgres").unsafe(
      `select held::text as row from mailpipe.${table} as held where ${column} = $1 order by 1`,
      [organizationId],
    );
    found.push(...rows.map(({ row }) => `${table} ${row}`));
  }
  const objects = await api.database.sql("postgres")`
    select name from storage.objects where starts_with(name, ${organizationId}) order by name
  `;
  return [...found, ...objects.map(({ name }) => `object ${name}`)];
}

/** Inbound mail of the tenant by SQL, in one thread: no provider, no raw mail. */
async function insertMail(ids: string[], more: Record<string, string> = {}): Promise<string> {
  const sql = api.database.sql("postgres");
  const organization_id = tenant.organization_id;
  const [thread] = await sql<{ id: string }[]>`
    insert into mailpipe.threads (organization_id, environment, subject_key, participants, message_count)
    values (${organization_id}, 'live', 's', '{}', ${ids.length}) returning id
  `;
  const facts = { organization_id, environment: "live", direction: "inbound", status: "received" };
  const mail = {
    ...facts,
    thread_id: thread?.id ?? "",
    from_email: "bob@example.net",
    subject: "s",
    ...more,
  };
  for (const id of ids) await sql`insert into mailpipe.messages ${sql({ id, ...mail })}`;
  return thread?.id ?? "";
}

/** A stored request of the tenant by SQL, about these messages. */
async function insertRequest(id: string, message_ids: string[], processed_at: Date | null): Promise<void> {
  const sql = api.database.sql("postgres");
  const { organization_id } = tenant;
  await sql`
    insert into mailpipe.inbound_requests
      (id, organization_id, environment, provider_id, kind, event_key, headers, storage_key, size_bytes, message_ids, processed_at)
    select ${id}, ${organization_id}, 'live', id, 'mime', ${id}, '{}', ${`${organization_id}/live/${id}`}, 1, ${message_ids}, ${processed_at}
    from mailpipe.providers where organization_id = ${organization_id} limit 1
  `;
}

/** Has a worker hold a message until the hour is over. */
async function hold(id: string): Promise<void> {
  await api.database.sql("postgres")`
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, lease_until, due_at)
    values (${tenant.organization_id}, 'live', 'deliver_message', ${id}, mailpipe.clock() + interval '1 hour', mailpipe.clock() + interval '1 hour')
  `;
}

/** Ends that, and lets the deletion that waits go on. */
async function release(id: string): Promise<void> {
  const sql = api.database.sql("postgres");
  await sql`delete from mailpipe.jobs where kind = 'deliver_message' and subject_id = ${id}`;
  await sql`update mailpipe.jobs set due_at = mailpipe.clock() where kind = 'delete_data'`;
  await runAllDataJobs(api);
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
    const path = `delete-data/${String(asked.body.id)}`;
    expect(refusal(await ask(deleteData, path, { token: tenant.live }))).toEqual([404, "not_found"]);
    expect(asked).toMatchObject({ status: 202, body: { counts: { messages: 1, attachments: 1 } } });
    expect(asked.body.confirm).toMatch(/^mpd_[\w-]{43}$/);
    expect(await messageIds()).toContain(id);
    expect(await objects()).toHaveLength(1);
    const done = await ask_({ what: "message", id, confirm: asked.body.confirm });
    expect(receiptOf(done)).toMatchObject({ what: "message", environment: "live", state: "running" });
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([other]);
    expect(await objects()).toEqual([]);
    const shown = await ask(deleteData, path, { token: tenant.live });
    expect(shown.body).toMatchObject({ state: "done", removed: { messages: 1, objects: 1 } });
    expect(await paused()).toBe(false);
    const otherwise = { what: "person", id: "a@example.net", confirm: asked.body.confirm };
    expect(refusal(await ask_(otherwise))).toEqual([409, "confirmation_invalid"]);
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
    await hold(id);
    await confirmed({ what: "message", id });
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([id]);
    await release(id);
    expect(await messageIds()).toEqual([]);
  });

  test("does not wait for a job nobody holds any more, and takes it along", async () => {
    const sql = api.database.sql("postgres");
    await insertMail(["msg_queued", "msg_left"]);
    for (const id of ["msg_queued", "msg_left"]) await hold(id);
    await sql`update mailpipe.jobs set lease_until = null where subject_id = 'msg_queued'`;
    // A lease ends at its time.
    await sql`update mailpipe.jobs set lease_until = mailpipe.clock() where subject_id = 'msg_left'`;
    await sql`select mailpipe.remove_messages(${tenant.organization_id}, '{msg_queued,msg_left}')`;
    expect(await messageIds()).toEqual([]);
    expect(await sql`select from mailpipe.jobs where kind = 'deliver_message'`).toHaveLength(0);
  });

  test("leaves what another message needs: its thread, its request, its events' jobs, and what is unprocessed", async () => {
    const sql = api.database.sql("postgres");
    const { organization_id } = tenant;
    const raw_key = `${organization_id}/live/raw`;
    const thread = await insertMail(["msg_one", "msg_two"], { raw_key });
    await insertRequest("inb_both", ["msg_one", "msg_two"], new Date());
    await insertRequest("inb_new", [], null);
    await sql`
      insert into mailpipe.events (id, organization_id, environment, type, message_id, data)
      select concat('evt_of_', id), organization_id, environment, 'email.received', id, '{}' from mailpipe.messages
      where organization_id = ${organization_id}
    `;
    await sql`
      with endpoint as (
        insert into mailpipe.webhook_endpoints (organization_id, environment, url, events, secret)
        select ${organization_id}, 'live', 'https://x.test', '{*}', wrapped from mailpipe.data_keys
        where organization_id = ${organization_id}
        returning id
      ),
      delivery as (
        insert into mailpipe.deliveries (id, organization_id, environment, event_id, endpoint_id)
        select concat('dlv_', event.id), ${organization_id}, 'live', event.id, endpoint.id
        from endpoint, mailpipe.events as event where event.id in ('evt_of_msg_one', 'evt_of_msg_two')
        returning id
      )
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
      select ${organization_id}, 'live', 'dispatch_delivery', id from delivery
    `;
    const left = async () => {
      const [row] = await sql`
        select
          (select array_agg(id order by id) from mailpipe.inbound_requests where organization_id = ${organization_id}) as requests,
          (select array_agg(subject_id) from mailpipe.jobs where kind = 'dispatch_delivery' and organization_id = ${organization_id}) as jobs,
          (select message_count from mailpipe.threads where id = ${thread}) as mails
      `;
      return row;
    };
    const remove = async (id: string) =>
      (await sql`select mailpipe.remove_messages(${organization_id}, ${[id]}) as objects`)[0]?.["objects"];
    expect(await remove("msg_one")).toEqual([]);
    expect(await left()).toEqual({
      requests: ["inb_both", "inb_new"],
      jobs: ["dlv_evt_of_msg_two"],
      mails: 1,
    });
    expect(await remove("msg_two")).toEqual([`${organization_id}/live/inb_both`, raw_key]);
    expect(await left()).toEqual({ requests: ["inb_new"], jobs: null, mails: null });
  });

  test("keeps an object while any row points at it, whichever it is, and so does maintenance", async () => {
    await fillEveryTable(api, tenant, "ada@example.net");
    const [key] = await objects();
    const cuts = [
      "delete from mailpipe.attachments",
      "update mailpipe.messages set raw_key = null",
      "delete from mailpipe.inbound_requests",
      "delete from mailpipe.export_parts",
    ];
    const free = async (taken: string[]) => {
      let found: unknown;
      await api.database.sql("supabase_admin").begin(async (sql) => {
        for (const cut of taken) await sql.unsafe(cut);
        await sql`update storage.objects set updated_at = now() - interval '2 days'`;
        const [row] = await sql`
          select
            mailpipe.unreferenced(${[key ?? ""]}) as removed,
            array(select orphan from mailpipe.orphan_objects() as orphan where orphan = ${
          key ?? ""
        }) as orphans
        `;
        found = row;
        throw new Error("undone");
      }).catch((error: Error) => expect(error.message).toBe("undone"));
      return found;
    };
    for (const last of cuts) {
      expect(await free(cuts.filter((cut) => cut !== last))).toEqual({ removed: [], orphans: [] });
    }
    expect(await free(cuts)).toEqual({ removed: [key], orphans: [key] });
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

  test("takes the mailbox when its last mail is gone: one a worker holds is still found by it", async () => {
    const { body: mailbox } = await ask(mailboxes, "mailboxes", {
      token: tenant.live,
      body: { address: "in@acme.example" },
    });
    await insertMail(["msg_in_box"], { mailbox_id: String(mailbox.id) });
    await hold("msg_in_box");
    await confirmed({ what: "mailbox", id: mailbox.id });
    await runAllDataJobs(api);
    expect(rows(await ask(mailboxes, "mailboxes", { token: tenant.live }))).toHaveLength(1);
    await release("msg_in_box");
    expect(await messageIds()).toEqual([]);
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
    const sql = api.database.sql("postgres");
    const { organization_id } = tenant;
    await insertMail(["msg_plain"]);
    await insertRequest("inb_plain", ["msg_plain"], new Date());
    await insertRequest("inb_unread", [], null);
    // More than a page of a table, and she is in the last row of it.
    await sql`
      insert into mailpipe.events (id, organization_id, environment, type, data)
      select concat('evt_~', lpad(number::text, 3, '0')), ${organization_id}, 'test', 'email.sent',
        jsonb_build_object('to', case when number = 205 then ${person} else 'bob@example.net' end)
      from generate_series(1, 205) as number
    `;
    const other = await foundTenant(api, `neighbour${named++}`);
    await connect(other.live, "smtp", account.credentials);
    await fillEveryTable(api, other, person);
    await sql`update mailpipe.messages set from_email = ${person} where organization_id = ${other.organization_id}`;
    await send(person, {}, other.test);
    await sql`
      with export as (
        insert into mailpipe.exports (organization_id) values (${other.organization_id}) returning id
      )
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id, due_at)
      select ${other.organization_id}, 'live', 'export_data', id, now() + interval '9 days' from export
    `;
    const theirs = await contents(other.organization_id);

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
    expect(await contents(other.organization_id)).toEqual(theirs);
    const [rest] = await sql`
      select
        (select count(*)::int from mailpipe.events where organization_id = ${organization_id} and starts_with(id, 'evt_~')) as events,
        (select array_agg(address) from mailpipe.mailboxes where organization_id = ${organization_id}) as mailboxes,
        (select array_agg(id order by id) from mailpipe.inbound_requests where organization_id = ${organization_id}) as requests
    `;
    expect(rest).toEqual({ events: 205, mailboxes: ["o@x.test"], requests: ["inb_plain", "inb_unread"] });
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

  test(
    "is quick in a mail that names it twenty thousand times, and finds what stands against it",
    async () => {
      const text = "hello kate@p.test, ".repeat(20_000);
      const many = await send("bob@p.test", { text });
      const signs = "brien@p.test! [brien@p.test] %3Dbrien%40p.test o&#39;neil%2Btag@p.test";
      const close = await send("bob@p.test", { subject: "brien@p.test!", text: signs });
      for (const id of ["kate@p.test", "brien@p.test", "o'neil+tag@p.test"]) {
        await confirmed({
          what: "person",
          id,
        });
      }
      await runAllDataJobs(api);
      const shown = await ask(messages, `messages/${many}`, { token: tenant.live });
      expect(shown.body.text).toBe("hello ***, ".repeat(20_000));
      const other = await ask(messages, `messages/${close}`, { token: tenant.live });
      expect(other.body).toMatchObject({ subject: "***!", text: "***! [***] %3D*** ***" });
    },
    60_000,
  );

  test("keeps the raw mail of somebody whose address is like it", async () => {
    await inbound("in-1", [
      "From: o'brien@p.test",
      "To: in@acme.example",
      "",
      "brien said hello to x@p.test",
    ]);
    await processAll(api);
    await confirmed({ what: "person", id: "brien@p.test" });
    await runAllDataJobs(api);
    expect(await objects()).toHaveLength(1);
  });

  test("goes on where raw bytes it was to read are gone", async () => {
    await inbound("in-1", ["From: eve@elsewhere.example", "To: in@acme.example", "", "x"]);
    await processAll(api);
    const done = await confirmed({ what: "person", id: person });
    const sql = api.database.sql("postgres");
    for (let steps = 0; steps < 40; steps++) {
      const [job] =
        await sql`select cursor -> 'inspect' as inspect from mailpipe.jobs where kind = 'delete_data'`;
      if (Array.isArray(job?.["inspect"])) break;
      await dataStep(api);
    }
    const [key] = await objects();
    await removeStored([key ?? ""]);
    await runAllDataJobs(api);
    const shown = await ask(deleteData, `delete-data/${String(receiptOf(done)["id"])}`, {
      token: tenant.live,
    });
    expect(shown.body.state).toBe("done");
  });

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

  test("waits for a worker that holds a mail of the person's", async () => {
    await insertMail(["msg_held"], { from_email: person });
    await hold("msg_held");
    await confirmed({ what: "person", id: person });
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual(["msg_held"]);
    await release("msg_held");
    expect(await messageIds()).toEqual([]);
  });

  test("leaves what was asked about others, by others, or is under way already", async () => {
    const other = await foundTenant(api, `asking${named++}`);
    const request = { what: "person", id: person };
    const another = { what: "person", id: "bob@example.net" };
    const [asked, theirs, twice] = await Promise.all([
      ask_(another),
      ask_(request, other.live),
      ask_(request),
    ]);
    await confirmed(request);
    await ask_({ ...request, confirm: twice.body.confirm });
    await runAllDataJobs(api);
    expect((await receipt(twice.body.confirm)).body.state).toBe("done");
    expect((await ask_({ ...another, confirm: asked.body.confirm })).status).toBe(202);
    expect((await ask_({ ...request, confirm: theirs.body.confirm }, other.live)).status).toBe(202);
    await runAllDataJobs(api);
  });
});

describe("a person's address", () => {
  const address = "a+b.c@x.example";
  const without = async (text: string) =>
    (await api.database.sql("postgres")`
      select mailpipe.without(${text}, ${address}) as text
    `)[0]?.["text"];

  test.each([
    "%",
    "<%>",
    "mailto:%?x",
    "to %.",
    "to %, and",
    "%;",
    "(%)",
    "/%/",
    '"%"',
    "one\n%\n",
  ])("is found in %j and taken out of it", async (text) => {
    expect(await without(text.replace("%", "A+b.C@X.example"))).toBe(text.replace("%", "***"));
  });

  test.each([
    "xa+b.c@x.example",
    "üa+b.c@x.example",
    "x.a+b.c@x.example",
    "x+a+b.c@x.example",
    "x-a+b.c@x.example",
    "x_a+b.c@x.example",
    "x%a+b.c@x.example",
    "a+b.c@x.example.net",
    "a+b.c@x.example-net",
    "a+b.c@x.examples",
    "a+b.c@x.example2",
    "a+bxc@x.example",
    "aab.c@x.example",
  ])("is not in %s, which is another's", async (text) => {
    expect(await without(`see ${text} now`)).toBe(`see ${text} now`);
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
    expect(await paused()).toBe(true);
    expect(await dataStep(api)).toBe(0);
    // A deletion of something else that is under way stays so.
    await insertMail(["msg_0000000000000000000000000A"]);
    await confirmed({ what: "message", id: "msg_0000000000000000000000000A" });
    const again = await ask_({ what: "organization", id }, token);
    expect(refusal(await ask_({ what: "organization", id, confirm: again.body.confirm }, token)))
      .toEqual([409, "deletion_pending"]);

    const path = `delete-data/${String(receiptOf(done)["id"])}/undo`;
    expect(refusal(await ask(deleteData, path, { method: "POST", token: tenant.test }))).toEqual([
      403,
      "live_required",
    ]);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ask(deleteData, path, { method: "POST", token })),
    );
    const [undone] = answers.filter(({ status }) => status === 200) as [Answer];
    expect(answers.filter(({ body }) => body.code === "undo_over")).toHaveLength(5);
    expect(undone.body).toMatchObject({ state: "undone", undo_until: null });
    expect(await paused()).toBe(false);
    expect(refusal(await ask(deleteData, path, { method: "POST", token }))).toEqual([409, "undo_over"]);
    expect(await sql`select from mailpipe.jobs where organization_id = ${id}`).toHaveLength(1);
    await runAllDataJobs(api);
    expect(await messageIds()).toEqual([]);
  });

  test("undone leaves its mail paused if it was so before, and is over when its time is", async () => {
    const request = { what: "organization", id: tenant.organization_id };
    const sql = api.database.sql("postgres");
    // A deletion of something else is in nobody's way.
    await insertMail(["msg_0000000000000000000000000C"]);
    await confirmed({ what: "message", id: "msg_0000000000000000000000000C" });
    await sql`update mailpipe.organizations set sending_paused = true where id = ${tenant.organization_id}`;
    const undo = async (receipt: Record<string, unknown>) =>
      await ask(deleteData, `delete-data/${String(receipt["id"])}/undo`, {
        method: "POST",
        token: tenant.live,
      });
    expect((await undo(receiptOf(await confirmed(request)))).status).toBe(200);
    expect(await paused()).toBe(true);
    await api.database.setClock(new Date(now).toISOString());
    const late = receiptOf(await confirmed(request));
    await api.database.setClock(String(late["undo_until"]));
    expect(refusal(await undo(late))).toEqual([409, "undo_over"]);
    await api.database.advanceClock("-1 millisecond");
    expect((await undo(late)).status).toBe(200);
    await api.database.setClock(new Date(now).toISOString());
  });

  test("does nothing once it is not to be, whatever job is left", async () => {
    const done = receiptOf(await confirmed({ what: "organization", id: tenant.organization_id }));
    const sql = api.database.sql("postgres");
    await sql`update mailpipe.deletions set state = 'undone' where id = ${String(done["id"])}`;
    await sql`update mailpipe.jobs set due_at = mailpipe.clock() where subject_id = ${String(done["id"])}`;
    const before = await contents(tenant.organization_id);
    await runAllDataJobs(api);
    const isJob = (line: string) => line.startsWith("jobs ");
    expect(await contents(tenant.organization_id)).toEqual(before.filter((line) => !isJob(line)));
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
    await insertMail(["msg_0000000000000000000000000B"]);
    const earlier = await ask_({ what: "message", id: "msg_0000000000000000000000000B" });
    await ask_({ what: "message", id: "msg_0000000000000000000000000B", confirm: earlier.body.confirm });
    await runAllDataJobs(api);
    await fillEveryTable(api, tenant, "grace.hopper@example.net");
    await ask(exportData, "export-data", { method: "POST", token });
    await dataStep(api);
    const before = await organizationRows(api, id);
    expect(Object.entries(before).filter(([, count]) => count === 0)).toEqual([]);
    expect(Object.keys(before).sort()).toEqual(await everyTable(api));
    expect((await objects()).length).toBeGreaterThan(0);
    const bystander = await foundTenant(api, `bystander${named++}`);
    await connect(bystander.live, "smtp", account.credentials);
    await fillEveryTable(api, bystander, "ada@example.net");
    await send("ada@example.net", {}, bystander.test);
    const untouched = await contents(bystander.organization_id);
    const sql = api.database.sql("postgres");
    const counters = () =>
      sql`
        select from mailpipe.key_uses where key_id = 'key_of_hers'
        union all select from mailpipe.rate_windows where subject_id in (${id}, 'window_of_hers')
        union all select from mailpipe.saved_windows where subject_id in (${id}, 'window_of_hers')
      `;
    await sql`
      insert into mailpipe.api_keys (id, organization_id, environment, name, hash, last_four, scopes, window_id)
      values ('key_of_hers', ${id}, 'test', 'n', ${
      Buffer.alloc(32, id)
    }, 'abcd', '{mail:read}', 'window_of_hers')
    `;
    await sql`insert into mailpipe.key_uses (key_id, slot, used, refused) values ('key_of_hers', 0, 1, 0)`;
    await sql`
      insert into mailpipe.rate_windows select 'window_of_hers', now(), 1, now(), 1, now(), 1, now(), 1
    `;
    expect(await counters()).not.toHaveLength(0);
    // A host app's bucket, with a folder of the same name.
    await sql`insert into storage.buckets (id, name) values ('theirs', 'theirs')`;
    await sql`insert into storage.objects (bucket_id, name) values ('theirs', ${`${id}/x`})`;

    const before_ = await ask_({ what: "organization", id }, token);
    const undone = await ask_({ what: "organization", id, confirm: before_.body.confirm }, token);
    await ask(deleteData, `delete-data/${String(receiptOf(undone)["id"])}/undo`, { method: "POST", token });
    const asked = await ask_({ what: "organization", id }, token);
    const begun = await ask_({ what: "organization", id, confirm: asked.body.confirm }, token);
    await api.database.setClock(String(receiptOf(begun)["undo_until"]));
    await api.database.advanceClock("-1 millisecond");
    await runAllDataJobs(api);
    expect((await ask(whoami, "whoami", { token: tenant.live })).status).toBe(200);
    await api.database.advanceClock("1 hour");
    expect(await dataStep(api)).toBe(1);
    expect(refusal(await ask(whoami, "whoami", { token: tenant.live }))).toEqual([401, "invalid_credential"]);
    expect(refusal(await ask(whoami, "whoami", { token }))).toEqual([400, "organization_required"]);
    // Before the first row goes, nothing comes in or goes out any more.
    expect(await counters()).toHaveLength(0);
    const [open] = await sql`
      select
        (select count(*)::int from mailpipe.providers where organization_id = ${id} and num_nonnulls(credentials, inbound_token_hash, inbound_secret) > 0) as providers,
        (select count(*)::int from mailpipe.webhook_endpoints where organization_id = ${id} and enabled) as endpoints,
        (select count(*)::int from mailpipe.jobs where organization_id = ${id} and kind <> 'delete_data') as jobs
    `;
    expect(open).toEqual({ providers: 0, endpoints: 0, jobs: 0 });
    await runAllDataJobs(api);
    await sql`update storage.objects set name = 'x' where bucket_id = 'theirs'`;

    const left = await organizationRows(api, id);
    expect(Object.entries(left).filter(([table, count]) => count > 0 && table !== "deletions")).toEqual([]);
    expect(await objects()).toEqual([]);
    expect(await tablesThatMention(api, null, id)).toEqual(["mailpipe.deletions"]);
    // The receipts of what was done, and nothing else: not what was undone or never confirmed.
    expect(left["deletions"]).toBe(2);
    for (const trace of [user_id, "hopper"]) expect(await tablesThatMention(api, null, trace)).toEqual([]);
    const shown = await receipt(asked.body.confirm);
    expect(shown.body).toMatchObject({
      what: "organization",
      state: "done",
      removed: { messages: expect.any(Number), data_keys: 1, members: 1, objects: expect.any(Number) },
    });
    expect(shown.body.backups).toContain(`taken before ${String(shown.body.finished_at)}`);
    expect(shown.text).not.toMatch(/@|hopper/);
    expect((await receipt(earlier.body.confirm)).body).toMatchObject({ what: "message", state: "done" });
    expect(await contents(bystander.organization_id)).toEqual(untouched);
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
    const { body: box } = await ask(mailboxes, "mailboxes", {
      token: other.test,
      body: { address: "x@acme.example" },
    });
    expect(refusal(await ask_({ what: "mailbox", id: box.id }))).toEqual([404, "not_found"]);
    // Not even the role that may count learns how much another has.
    const [counted] = await api.database.sql("mailpipe_tenant").begin(async (sql) => {
      await sql`select set_config('mailpipe.organization_id', ${tenant.organization_id}, true)`;
      return await sql`
        select mailpipe.deletion_counts(jsonb_populate_record(null::mailpipe.deletions, jsonb_build_object(
          'organization_id', ${other.organization_id}::text, 'what', 'organization'
        ))) as counts
      `;
    });
    expect(counted?.["counts"]).toBeNull();
  });

  test("when its token is an hour old, to the millisecond; once confirmed it shows the receipt", async () => {
    await api.database.setClock(new Date(now).toISOString());
    const id = await send("hour@example.net");
    const asked = await ask_({ what: "message", id });
    const until = Date.parse(String(asked.body.confirm_until));
    const [read] = await api.database.sql("postgres")<{ at: Date }[]>`select mailpipe.clock() as at`;
    expect(until - (read?.at.getTime() ?? 0)).toBe(3600 * 1000);
    const confirm = () => ask_({ what: "message", id, confirm: asked.body.confirm });
    await api.database.setClock(new Date(until).toISOString());
    expect(refusal(await confirm())).toEqual([409, "confirmation_invalid"]);
    await api.database.setClock(new Date(until - 1).toISOString());
    const over = () => api.database.sql("postgres")`select mailpipe.copies_over()`;
    await over();
    const answers = await Promise.all(Array.from({ length: 6 }, confirm));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(202));
    await runAllDataJobs(api);
    await api.database.advanceClock("2 hours");
    await over();
    expect(receiptOf(await confirm())).toMatchObject({ state: "done" });
    await api.database.setClock(new Date(now).toISOString());
  });

  test("with a token that is another's, for something else or made up", async () => {
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
