import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { mboxReader } from "mbox-reader";
import PostalMime from "postal-mime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import exportData from "../../functions/export-data/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { removeStored } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask, refusal } from "../support/ask.ts";
import { dataStep, runAllDataJobs } from "../support/data-jobs.ts";
import { postMail, processAll } from "../support/inbound.ts";
import { keepLog } from "../support/log.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { addMember, foundTenant, issue, type Tenant } from "../support/tenant.ts";
import { storeBytes } from "../../shared/storage.ts";

interface Part {
  number: number;
  kind: string;
  name: string;
  entries: number;
  size_bytes: number;
  sha256: string;
  url: string;
}

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let smtp: Connected;
let secrets: string[];

const start = (token = tenant.live) => ask(exportData, "export-data", { method: "POST", token });
const show = (id: unknown, query = "?limit=100", token = tenant.live) =>
  ask(exportData, `export-data/${String(id)}${query}`, { token });
const partsOf = ({ body }: Answer) => body.parts as Part[];

async function bytesOf({ url }: Part): Promise<Buffer> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

async function download(parts: Part[], kind: string): Promise<string> {
  const texts = await Promise.all(parts.filter((part) => part.kind === kind).map(bytesOf));
  return Buffer.concat(texts).toString("latin1");
}

/** Inbound mail as raw bytes: lines that look like separators, bytes beyond ASCII, a file. */
const arrived = [
  [
    "From: Eve <eve@elsewhere.example>",
    "To: in@acme.example",
    "Subject: separators",
    "Message-ID: <one@elsewhere>",
    "",
    "From here on",
    ">From there",
    "From ",
    "end",
  ],
  [
    "From: Eve <eve@elsewhere.example>",
    "To: in@acme.example",
    "Subject: octets",
    "Message-ID: <two@elsewhere>",
    "Content-Type: text/plain; charset=iso-8859-1",
    "",
    "gr\xfc\xdfe",
  ],
  [
    "From: Eve <eve@elsewhere.example>",
    "To: in@acme.example",
    "Subject: a file",
    "Message-ID: <three@elsewhere>",
    'Content-Type: multipart/mixed; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    "see file",
    "--b",
    'Content-Disposition: attachment; filename="in.bin"',
    "Content-Transfer-Encoding: base64",
    "",
    "AAECAw==",
    "--b--",
  ],
].map((lines) => Buffer.from(`${lines.join("\r\n")}\r\n`, "latin1"));

const headers = { authorization: "Bearer of the endpoint" };

async function seed(): Promise<void> {
  const token = tenant.live;
  await ask(mailboxes, "mailboxes", { token, body: { address: "in@acme.example" } });
  const { body: hook } = await ask(webhooks, "webhooks", {
    token,
    body: { url: "http://127.0.0.1:9/h", events: ["*"], headers },
  });
  const { body: rotated } = await ask(webhooks, `webhooks/${String(hook.id)}/rotate-secret`, {
    token,
    body: {},
  });
  for (const [index, raw] of arrived.entries()) {
    await postMail(smtp, new Uint8Array(raw), { id: `in-${index}`, to: "in@acme.example" });
  }
  await processAll(api);
  const out = {
    from: "Acme <news@acme.example>",
    to: ["ada@example.net"],
    bcc: ["hidden@example.net"],
    subject: "Grüße",
    text: "From us\r\nto you",
    attachments: [{ filename: "out.txt", content: Buffer.from("hello").toString("base64") }],
  };
  // A neighbour's mail and file, which are in no export of ours.
  const neighbour = await foundTenant(api, "neighbour");
  for (const key of [tenant.live, tenant.test, neighbour.test]) {
    await ask(sendMail, "send-mail", { token: key, body: out });
  }
  await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body: {} });
  secrets = [
    String(hook.secret),
    String(rotated.secret),
    headers.authorization,
    smtp.inbound_secret,
    String(account.credentials["password"]),
    tenant.live,
    tenant.test,
  ];
}

/** Who waits for a lock in this database. */
const waiting = () =>
  api.database.sql("postgres")`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  `;

/** Rows, mail and files for more than a page of each, the last ids written first. */
async function fillPages({ organization_id }: Tenant): Promise<void> {
  const sql = api.database.sql("postgres");
  const { key, sha256 } = await storeBytes({ organization_id, environment: "test" }, Uint8Array.of(1));
  await sql`
    insert into mailpipe.audit (organization_id, actor_kind, actor_id, action)
    select ${organization_id}, 'key', number::text, 'probe.made' from generate_series(1, 2500) as number
  `;
  await sql`
    insert into mailpipe.events (id, organization_id, environment, type, data)
    select concat('evt_!', number), ${organization_id}, 'live', 'email.sent', jsonb_build_object('x', repeat('x', 1500000))
    from generate_series(3, 1, -1) as number
  `;
  await sql`
    with thread as (
      insert into mailpipe.threads (organization_id, environment, subject_key, participants)
      values (${organization_id}, 'test', 's', '{}') returning id
    )
    insert into mailpipe.messages (id, organization_id, environment, direction, status, thread_id, from_email, subject, size_bytes, raw_key)
    select
      concat('msg_', lpad(number::text, 3, '0')), ${organization_id}, 'test', 'inbound', 'received', thread.id,
      'a@x.example', 's', case when number <= 2 then 1572864 end, case when number = 4 then ${key} end
    from thread, generate_series(450, 1, -1) as number
  `;
  await sql`
    insert into mailpipe.recipients (organization_id, environment, message_id, position, kind, email, status)
    values
      (${organization_id}, 'test', 'msg_005', 1, 'to', 'second@x.example', 'received'),
      (${organization_id}, 'test', 'msg_005', 0, 'to', 'first@x.example', 'received')
  `;
  // Of the fourth, whose raw mail we have: its files weigh nothing.
  await sql`
    insert into mailpipe.attachments (organization_id, environment, message_id, position, filename, content_type, size_bytes, sha256, storage_key)
    select
      ${organization_id}, 'test', case when number = 0 then 'msg_003' else 'msg_004' end, number,
      coalesce((array['', '.', '..', E'a\\\\b', E'a\\nb', 'a/b', '...', '../c'])[number], 'file'),
      'text/plain', 3145728, ${sha256}, ${key}
    from generate_series(0, 1001) as number
  `;
}

beforeAll(async () => {
  keepLog();
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  api = await startApi();
  tenant = await foundTenant(api);
  account = await startSmtpAccount();
  smtp = await connect(tenant.live, "smtp", account.credentials);
  await seed();
});
afterAll(async () => {
  delete process.env["MAILPIPE_EGRESS_ALLOW"];
  await account?.close();
  await api?.close();
});

describe("an export", () => {
  let id: string;
  let parts: Part[];

  test("is a job of steps that shows how far it is, and only one runs at a time", async () => {
    const started = await start();
    id = String(started.body.id);
    expect(started).toMatchObject({
      status: 202,
      body: { state: "running", progress: { stage: "organizations" } },
    });
    expect(refusal(await start())).toEqual([409, "export_running"]);
    await dataStep(api);
    const halfway = await show(id);
    expect(halfway.body).toMatchObject({
      state: "running",
      progress: { stage: "members", rows: 1, parts: 1 },
      parts: [],
    });
    await runAllDataJobs(api);
    const ready = await show(id);
    expect(ready.body).toMatchObject({
      state: "ready",
      progress: { stage: "done", messages: 5, attachments: 3 },
    });
    parts = partsOf(ready);
    expect((await start()).status).toBe(202);
    expect((await show(id)).body.progress).toEqual(ready.body.progress);
  });

  test("is told of when it is ready, to the endpoints of live", async () => {
    const sql = api.database.sql("postgres");
    const told = await sql`
      select event.environment, event.data, count(delivery.id)::int as deliveries
      from mailpipe.events as event
      left join mailpipe.deliveries as delivery on delivery.event_id = event.id
      where event.type = 'export.ready' and event.organization_id = ${tenant.organization_id}
      group by event.id
    `;
    const { body } = await show(id);
    const { parts: count, size_bytes } = body.progress as { parts: number; size_bytes: number };
    const data = { export_id: id, parts: count, size_bytes, expires_at: body.expires_at };
    expect([...told]).toEqual([{ environment: "live", data, deliveries: 1 }]);
    expect(count).toBe(parts.length);
  });

  test("holds every part with its size and SHA-256, and a manifest of counts", async () => {
    for (const part of parts) {
      const bytes = await bytesOf(part);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      expect([part.name, bytes.length, sha256]).toEqual([part.name, part.size_bytes, part.sha256]);
    }
    const manifest = JSON.parse(await download(parts, "manifest"));
    expect(manifest).toMatchObject({
      format: "mailpipe-export/1",
      organization_id: tenant.organization_id,
      tables: {
        organizations: 1,
        members: 1,
        messages: 5,
        mailboxes: 1,
        providers: 1,
        attachments: 3,
        invitations: 0,
      },
      totals: { messages: 5, attachments: 3 },
    });
    const listed = parts.filter(({ kind }) => kind === "rows" || kind === "mail").map(({ sha256 }) => sha256);
    expect(manifest.parts.map(({ sha256 }: Part) => sha256)).toEqual(listed);
  });

  test("has each table's rows as lines of JSON, as many as the database", async () => {
    for (const table of ["messages", "events", "recipients", "audit", "api_keys", "deliveries"]) {
      const lines = (await Promise.all(
        parts.filter(({ name }) => name.startsWith(`rows/${table}/`)).map(bytesOf),
      ))
        .flatMap((bytes) => bytes.toString("utf8").trimEnd().split("\n")).map((line) => JSON.parse(line));
      const [held] = await api.database.sql("postgres").unsafe<{ rows: number }[]>(
        `select count(*)::int as rows from mailpipe.${table} where organization_id = '${tenant.organization_id}'`,
      );
      // A line of audit came behind the export's own, and the event that tells of it, with its delivery.
      const behind = ["audit", "events", "deliveries"].includes(table) ? 1 : 0;
      expect([table, lines.length]).toEqual([table, (held?.rows ?? 0) - behind]);
      expect(lines.every((line) => line.organization_id === tenant.organization_id)).toBe(true);
    }
  });

  test("leaves secrets out, and says which", async () => {
    const everything = await Promise.all(parts.map(bytesOf));
    for (const secret of secrets) expect(everything.some((bytes) => bytes.includes(secret))).toBe(false);
    const { left_out } = JSON.parse(await download(parts, "manifest"));
    expect(left_out).toEqual([
      "api_keys.hash",
      "data_keys.wrapped",
      "deletions.confirm_hash",
      "deletions.subject",
      "invitations.token_hash",
      "providers.credentials",
      "providers.inbound_secret",
      "providers.inbound_token_hash",
      "webhook_endpoints.headers",
      "webhook_endpoints.previous_secret",
      "webhook_endpoints.secret",
    ]);
    const rows = await download(parts, "rows");
    expect(rows).not.toMatch(
      /"(?:hash|wrapped|credentials|token_hash|confirm_hash|secret|previous_secret)":/,
    );
  });

  test("has its mail as mbox: an independent reader finds the same messages, byte for byte", async () => {
    const mbox = await download(parts, "mail");
    const found: { id: string | undefined; content: string }[] = [];
    for await (const { content } of mboxReader(Readable.from([Buffer.from(mbox, "latin1")]))) {
      const { messageId } = await PostalMime.parse(content);
      found.push({ id: messageId, content: content.toString("latin1") });
    }
    const held = await api.database.sql("postgres")<{ id: string }[]>`
      select message_id_header as id from mailpipe.messages where organization_id = ${tenant.organization_id}
    `;
    expect(found.map(({ id }) => id).sort()).toEqual(held.map(({ id }) => `<${id}>`).sort());
    for (const raw of arrived) {
      const text = raw.toString("latin1").replaceAll("\r\n", "\n").trimEnd();
      expect(found.some(({ content }) => content.trimEnd() === text)).toBe(true);
    }
    const sent = found.find(({ content }) => content.includes("filename=out.txt"));
    const parsed = await PostalMime.parse(sent?.content ?? "");
    expect(parsed).toMatchObject({ subject: "Grüße", to: [{ address: "ada@example.net" }] });
    expect(Buffer.from(parsed.attachments[0]?.content as ArrayBuffer).toString()).toBe("hello");
  });

  const python = spawnSync("python3", ["--version"]).status === 0;
  test.skipIf(!python)(
    "opens in Python's mailbox module with the same messages (needs python3)",
    async () => {
      const script = [
        "import json, mailbox, sys, tempfile",
        "with tempfile.NamedTemporaryFile(suffix='.mbox') as file:",
        "    file.write(sys.stdin.buffer.read()); file.flush()",
        "    print(json.dumps([[m['Message-ID'], m['Subject'] is not None, len(m.get_payload()) > 0] for m in mailbox.mbox(file.name)]))",
      ].join("\n");
      const run = spawnSync("python3", ["-c", script], {
        input: Buffer.from(await download(parts, "mail"), "latin1"),
      });
      const found = JSON.parse(run.stdout.toString()) as [string, boolean, boolean][];
      const held = await api.database.sql("postgres")<{ id: string }[]>`
      select message_id_header as id from mailpipe.messages where organization_id = ${tenant.organization_id}
    `;
      expect(found.map(([id]) => id).sort()).toEqual(held.map(({ id }) => `<${id}>`).sort());
      expect(found.every(([, subject, payload]) => subject && payload)).toBe(true);
    },
  );

  test("has its files by their names, and links that save and do not show them", async () => {
    const files = parts.filter(({ kind }) => kind === "attachment");
    expect(files.map(({ name }) => name.split("/").at(-1)).sort()).toEqual(["in.bin", "out.txt", "out.txt"]);
    const response = await fetch(files.find(({ name }) => name.endsWith("in.bin"))?.url ?? "");
    expect(response.headers.get("content-type")).toBe("application/octet-stream");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename/);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 1, 2, 3]);
  });

  test("shows its parts page by page", async () => {
    const seen: number[] = [];
    for (let next: unknown = 0; next !== null;) {
      const { body } = await show(id, `?limit=7&cursor=${String(next)}`);
      seen.push(...(body.parts as Part[]).map(({ number }) => number));
      next = body.next;
    }
    expect(seen).toEqual(parts.map(({ number }) => number));
  });

  test("goes after seven days, its objects with the orphans", async () => {
    await api.database.setClock(new Date().toISOString());
    await runAllDataJobs(api);
    const sql = api.database.sql("postgres");
    const [last] = await sql<{ id: string; at: Date }[]>`
      select id, finished_at as at from mailpipe.exports order by finished_at desc limit 1
    `;
    const over = (last?.at.getTime() ?? 0) + 7 * 86_400_000;
    expect((await show(last?.id)).body.expires_at).toBe(new Date(over).toISOString());
    await api.database.setClock(new Date(over).toISOString());
    await sql`select mailpipe.copies_over()`;
    expect((await show(last?.id)).status).toBe(200);
    await api.database.advanceClock("1 millisecond");
    await sql`select mailpipe.copies_over()`;
    expect(refusal(await show(id))).toEqual([404, "not_found"]);
    const [left] = await sql`select count(*)::int as parts from mailpipe.export_parts`;
    expect(left?.["parts"]).toBe(0);
  });
});

describe("exporting", () => {
  test("takes data:export, of the whole organization: no test key, no test environment, no member", async () => {
    const member = await addMember(api, tenant, "member");
    const { key } = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
    const inTest = { token: tenant.owner.access_token, headers: { "x-mailpipe-environment": "test" } };
    expect(refusal(await start(tenant.test))).toEqual([403, "live_required"]);
    expect(refusal(await ask(exportData, "export-data", { method: "POST", ...inTest }))).toEqual([
      403,
      "live_required",
    ]);
    expect(refusal(await start(key))).toEqual([403, "scope_missing"]);
    expect(refusal(await start(member.access_token))).toEqual([403, "scope_missing"]);
    const { body } = await start(tenant.owner.access_token);
    const other = await foundTenant(api, "other");
    expect(refusal(await show(body.id, "", other.live))).toEqual([404, "not_found"]);
    expect(refusal(await show(body.id, "", tenant.test))).toEqual([403, "live_required"]);
    expect(refusal(await show(body.id, "?cursor=x"))).toEqual([400, "invalid_cursor"]);
    await runAllDataJobs(api);
  });

  test("goes on where a lost step left it: no part twice, none missing", async () => {
    const { body } = await start();
    expect((await start()).text).toContain(String(body.id));
    const sql = api.database.sql("postgres");
    const worker = api.database.sql("service_role");
    let steps = 0;
    for (; steps < 100; steps++) {
      // A worker that claims a step, reads it, and is never heard of again.
      const [lost] = await worker`select mailpipe_api.claim_data_jobs('{"project_secret": true}') as jobs`;
      const [job] = lost?.["jobs"] as { job_id: string; fence: number }[];
      if (job === undefined) break;
      await worker`select mailpipe_api.read_export_step('{"project_secret": true}', ${job.job_id}, ${job.fence})`;
      await sql`update mailpipe.jobs set due_at = mailpipe.clock(), lease_until = null where id = ${job.job_id}`;
      await dataStep(api);
      // It comes back late: its claim is lost, and nothing is written.
      const [late] = await worker`
        select mailpipe_api.finish_export_step('{"project_secret": true}', ${job.job_id}, ${job.fence}, null, null) as answer
      `;
      expect(late?.["answer"]).toEqual({ accepted: false, done: true });
    }
    expect(steps).toBeGreaterThan(20);
    const ready = await show(body.id);
    expect(ready.body).toMatchObject({ state: "ready", progress: { messages: 5, attachments: 3 } });
    const parts = partsOf(ready);
    expect(parts.map(({ number }) => number)).toEqual(parts.map((_, index) => index + 1));
    expect(new Set(parts.map(({ name }) => name)).size).toBe(parts.length);
    // It is of this export, though there is one before it.
    const manifest = JSON.parse(await download(parts, "manifest"));
    expect(manifest.tables.messages).toBe(5);
    expect(manifest.parts).toHaveLength(
      parts.filter(({ kind }) => kind === "rows" || kind === "mail").length,
    );
  });

  test("goes on without bytes that are gone, and names them", async () => {
    const lossy = await foundTenant(api, "lossy");
    const attachments = [{ filename: "gone.txt", content: Buffer.from("to be lost").toString("base64") }];
    const mail = { from: "a@acme.example", to: ["b@example.net"], subject: "s", text: "t", attachments };
    await ask(sendMail, "send-mail", { token: lossy.test, body: mail });
    const [file] = await api.database.sql("postgres")<{ id: string; storage_key: string }[]>`
      select id, storage_key from mailpipe.attachments where organization_id = ${lossy.organization_id}
    `;
    await removeStored([file?.storage_key ?? ""]);
    const { body } = await start(lossy.live);
    await runAllDataJobs(api);
    const ready = await show(body.id, "?limit=100", lossy.live);
    expect(ready.body).toMatchObject({ state: "ready", progress: { messages: 1, attachments: 0 } });
    expect(JSON.parse(await download(partsOf(ready), "manifest")).missing).toEqual([file?.id]);
  });

  test("fails after twenty tries of one step, and another can begin", async () => {
    const stuck = await foundTenant(api, "stuck");
    const { body } = await start(stuck.live);
    const sql = api.database.sql("postgres");
    await sql`update mailpipe.jobs set attempts = 19 where organization_id = ${stuck.organization_id}`;
    await dataStep(api);
    expect((await show(body.id, "", stuck.live)).body.state).toBe("running");
    await sql`update mailpipe.jobs set attempts = 20 where organization_id = ${stuck.organization_id}`;
    await dataStep(api);
    expect((await show(body.id, "", stuck.live)).body).toMatchObject({ state: "failed", parts: [] });
    const told = await sql`
      select from mailpipe.events where type = 'export.ready' and organization_id = ${stuck.organization_id}
    `;
    expect(told).toHaveLength(0);
    expect((await start(stuck.live)).status).toBe(202);
    await runAllDataJobs(api);
  });

  test("writes nothing of a worker whose claim is taken at that very moment", async () => {
    const { body } = await start();
    const [sql, worker] = [api.database.sql("postgres"), api.database.sql("service_role")];
    const [claimed] = await worker`select mailpipe_api.claim_data_jobs('{"project_secret": true}') as jobs`;
    const [job] = claimed?.["jobs"] as { job_id: string; fence: number }[];
    const part = {
      number: 1,
      kind: "rows",
      name: "rows/x",
      entries: 1,
      size_bytes: 1,
      sha256: "0".repeat(64),
    };
    const stored = { ...part, storage_key: `${tenant.organization_id}/x` };
    let late: Promise<Record<string, unknown>[]> | undefined;
    await sql.begin(async (other) => {
      await other`update mailpipe.jobs set fence = fence + 1, due_at = mailpipe.clock() where id = ${
        job?.job_id ?? ""
      }`;
      late = worker`
        select mailpipe_api.finish_export_step(
          '{"project_secret": true}', ${job?.job_id ?? ""}, ${job?.fence ?? 0}, ${sql.json(stored)}, null
        ) as answer
      `.then((rows) => [...rows]);
      await expect.poll(async () => (await waiting()).length).toBe(1);
    });
    expect((await late)?.[0]?.["answer"]).toEqual({ accepted: false, done: true });
    await runAllDataJobs(api);
    expect((await show(body.id)).body.state).toBe("ready");
  });

  test("takes more than a page of rows, mail and files in several parts, each once", async () => {
    const big = await foundTenant(api, "big");
    await fillPages(big);
    const { body } = await start(big.live);
    await runAllDataJobs(api);
    const made = await api.database.sql("postgres")<Part[]>`
      select kind, name, entries, storage_key from mailpipe.export_parts
      where export_id = ${String(body.id)} order by number
    `;
    const entries = (start: string) =>
      made.filter(({ name }) => name.startsWith(start)).map(({ entries }) => entries);
    expect(entries("rows/audit/")).toEqual([1000, 1000, expect.any(Number)]);
    // No further row or mail once 2 MiB are reached: two of 1.5, one with a file of 3, then two hundred a time.
    expect(entries("rows/events/")).toEqual([2, expect.any(Number)]);
    expect(entries("mail/")).toEqual([2, 1, 200, 200, 47]);
    const files = made.filter(({ kind }) => kind === "attachment").map(({ name }) => name.split("/"));
    expect(new Set(files.map(([, , id]) => id)).size).toBe(1002);
    expect(files).toHaveLength(1002);
    expect(files.every(({ length }) => length === 4)).toBe(true);
    const last = new Set(files.map((steps) => steps[3]));
    expect(last).toEqual(new Set(["_", "a_b", "...", ".._c", "file"]));
    const shown = [
      ...partsOf(await show(body.id, "?limit=100", big.live)),
      ...partsOf(await show(body.id, `?limit=100&cursor=${made.length - 100}`, big.live)),
    ];
    expect(await download(shown, "mail")).toContain("To: first@x.example, second@x.example");
    for (const [table, rows] of [["audit", 2500], ["events", 3], ["messages", 450]] as const) {
      const lines = (await Promise.all(
        shown.filter(({ name }) => name.startsWith(`rows/${table}/`)).map(bytesOf),
      )).flatMap((bytes) => bytes.toString("utf8").trimEnd().split("\n"));
      const ids = lines.map((line) => JSON.parse(line).id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.length).toBeGreaterThanOrEqual(rows);
    }
  });
});
