import { afterAll, beforeAll, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import dispatchWebhooks from "../../functions/dispatch-webhooks/index.ts";
import exportData from "../../functions/export-data/index.ts";
import issueKey from "../../functions/issue-key/index.ts";
import mailboxes from "../../functions/mailboxes/index.ts";
import reportLeakedKey from "../../functions/report-leaked-key/index.ts";
import revokeKey from "../../functions/revoke-key/index.ts";
import rotateKey from "../../functions/rotate-key/index.ts";
import runMaintenance from "../../functions/run-maintenance/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import whoami from "../../functions/whoami/index.ts";
import { call } from "../../shared/database.ts";
import { events, type EventType } from "../../shared/schemas/events.ts";
import type { EdgeFunction } from "../../shared/serve.ts";
import { type Api, startApi } from "../support/api.ts";
import { type Answer, ask } from "../support/ask.ts";
import { runAllDataJobs } from "../support/data-jobs.ts";
import { post, postMail, processAll } from "../support/inbound.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect, type Connected, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { answerJson, type StandIn, startStandIn } from "../support/stand-in.ts";
import { foundTenant, issue, type Issued, type Tenant } from "../support/tenant.ts";

/** Nothing causes these yet. A type that some SQL function names has no place here: it is caused below. */
const notYet: EventType[] = ["domain.verified", "domain.failed", "provider.paused"];

const webhook_secret = `whsec_${Buffer.from("a secret of thirty-two bytes....").toString("base64")}`;
const mail = {
  from: '"Shop, Inc." <hello@acme.example>',
  to: ["Ada <ada@example.net>", "bob@example.net"],
  cc: ["cc@example.net"],
  bcc: ["hidden@example.net"],
  subject: "Grüße \u{1f4ec}",
  text: "t",
  tags: ["a"],
  metadata: { n: "1e21", line: "\u2028" },
};

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let smtp: Connected;
let standIn: ResendStandIn;
let resend: Connected;
let gone: StandIn;
let refusing = false;
let told: { type: EventType; data: unknown }[];

async function did(fn: EdgeFunction, path: string, question: Parameters<typeof ask>[2]): Promise<Answer> {
  const answer = await ask(fn, path, question);
  expect(answer.status, `${path}: ${answer.text}`).toBeLessThan(300);
  return answer;
}

const work = (fn: EdgeFunction, path: string) =>
  did(fn, path, { headers: { apikey: api.secretKey }, body: {} });
const deliver = () => work(deliverMail, "deliver-mail");

async function send(changes: object, token = tenant.live): Promise<string> {
  return String((await did(sendMail, "send-mail", { token, body: { ...mail, ...changes } })).body.id);
}

/** What Resend says of a message we sent through it, with everything it may add. */
async function resendTells(type: string, id: string, to: string[]): Promise<void> {
  const event = {
    type: `email.${type}`,
    created_at: "2026-11-23T10:00:00.000Z",
    data: {
      email_id: `re-${id.slice(4)}`,
      message_id: "<rewritten@resend.example>",
      to,
      bounce: { type: "Permanent", subType: "General", message: "no", diagnosticCode: ["smtp; 550"] },
      click: { link: "https://x.example/", ipAddress: "203.0.113.9", userAgent: "Mozilla/5.0" },
    },
  };
  const signed = { id: `${type}-${id}-${to.length}`, secret: webhook_secret };
  expect((await post(resend, JSON.stringify(event), signed)).status).toBe(200);
}

async function causeSentMail(): Promise<void> {
  await send({}, tenant.test);
  const id = await send({ provider_id: resend.id });
  await deliver();
  const said = [
    "sent",
    "delivered",
    "delivery_delayed",
    "bounced",
    "complained",
    "opened",
    "clicked",
    "failed",
  ];
  for (const type of [...said, "suppressed"]) {
    await resendTells(type, id, ["ada@example.net"]);
    await resendTells(type, id, ["ada@example.net", "bob@example.net"]);
  }
  await processAll(api);
  refusing = true;
  await send({ provider_id: resend.id });
  await deliver();
}

/** A worker dies with a message handed over to a server that keeps no idempotency keys. */
async function causeUnknown(): Promise<void> {
  const p_message_id = await send({ provider_id: smtp.id });
  const p_caller = { project_secret: true };
  const claimed = await call("claim_messages", { p_caller, p_limit: 1, p_message_id });
  const [{ job_id, fence } = { job_id: "", fence: 0 }] = claimed as unknown as {
    job_id: string;
    fence: number;
  }[];
  await call("begin_attempt", { p_caller, p_job_id: job_id, p_fence: fence });
  await api.database.advanceClock("120 seconds");
  await deliver();
}

async function causeReceivedMail(): Promise<void> {
  await did(mailboxes, "mailboxes", { token: tenant.live, body: { address: "hello@acme.example" } });
  const raw = 'From: "Eve, E." <eve@elsewhere.example>\r\nTo: hello@acme.example\r\nSubject: Hi\r\n\r\nHello';
  for (const to of ["hello@acme.example", "nobody@acme.example"]) {
    expect((await postMail(smtp, raw, { id: to, to })).status).toBe(200);
  }
  await processAll(api);
}

const report = (found: Issued, more: object = {}) =>
  did(reportLeakedKey, "report-leaked-key", { body: { keys: [found.key], ...more } });

async function causeKeyEvents(): Promise<void> {
  const token = tenant.owner.access_token;
  const [old, leaked, quiet, seen, sender] = await Promise.all([1, 2, 3, 4, 5].map(() => issue(token)));
  if (!old || !leaked || !quiet || !seen || !sender) throw new Error("no keys");
  await did(rotateKey, "rotate-key", { token, body: { id: old.id } });
  await report(leaked, { source_url: "https://paste.example/1" });
  await report(quiet);
  await ask(whoami, `whoami?key=${seen.key}`);
  await ask(whoami, "whoami", { token: seen.key, headers: { origin: "https://x.example" } });
  const body = { name: "bait", environment: "live", scopes: ["mail:send"], honey: true };
  const bait = await did(issueKey, "issue-key", { token, body });
  await ask(whoami, "whoami", { token: String(bait.body.key) });
  await send({ provider_id: smtp.id }, sender.key);
  await did(revokeKey, "revoke-key", { token: tenant.live, body: { id: sender.id, cancel_queued: true } });
  await did(revokeKey, "revoke-key", { token, body: { id: old.id } });
}

async function causeTheRest(): Promise<void> {
  const body = { url: gone.url, events: ["*"] };
  const { id } = (await did(webhooks, "webhooks", { token: tenant.live, body })).body;
  await did(webhooks, `webhooks/${String(id)}/test`, { token: tenant.live, method: "POST" });
  // It answers 410, which disables it.
  await did(exportData, "export-data", { method: "POST", token: tenant.live });
  await runAllDataJobs(api);
  await work(dispatchWebhooks, "dispatch-webhooks");
  await api.database.advanceClock("91 days");
  await work(runMaintenance, "run-maintenance");
}

beforeAll(async () => {
  keepLog();
  standIn = await startResend(({ method, headers }, response) => {
    if (refusing) return json(response, 422, { name: "validation_error", message: "not verified" });
    json(
      response,
      200,
      method === "POST" ? { id: `re-${headers["idempotency-key"]?.slice(4)}` } : { data: [] },
    );
  });
  gone = await startStandIn((_, response) => answerJson(response, 410, {}));
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", standIn.url);
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  tenant = await foundTenant(api);
  account = await startSmtpAccount();
  smtp = await connect(tenant.live, "smtp", account.credentials);
  resend = await connect(tenant.live, "resend", { api_key: "re_of_a_stand_in", webhook_secret });
  await api.database.setClock(new Date().toISOString());
  for (const cause of [causeSentMail, causeUnknown, causeReceivedMail, causeKeyEvents, causeTheRest]) {
    await cause();
  }
  // The honey key's refusal is recorded behind its answer.
  await vi.waitUntil(async () => (await stored()).some(({ type }) => type === "key.honey_used"));
  told = await stored();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([gone, standIn, account, api].map((each) => each?.close()));
});

const stored = async () => [
  ...await api.database.sql("postgres")<{ type: EventType; data: unknown }[]>`
    select type, data from mailpipe.events order by position
  `,
];

test("every event there is was caused, but those that nothing causes yet", () => {
  const found = new Set(told.map(({ type }) => type));
  expect([...found, ...notYet].sort()).toEqual(Object.keys(events).sort());
});

test("no SQL function names an event that nothing is said to cause", async () => {
  const named = await api.database.sql("postgres")`
    select proc.proname, type.name
    from pg_proc as proc
    join pg_namespace as schema on schema.oid = proc.pronamespace
    cross join unnest(${notYet}::text[]) as type (name)
    where schema.nspname in ('mailpipe', 'mailpipe_api') and strpos(proc.prosrc, quote_literal(type.name)) > 0
  `;
  expect([...named]).toEqual([]);
});

const caused = (Object.keys(events) as EventType[]).filter((type) => !notYet.includes(type));

test.each(caused)("%s holds what the catalogue says, no field more or less", (type) => {
  const found = told.filter((event) => event.type === type);
  expect(found.length).toBeGreaterThan(0);
  for (const { data } of found) expect(events[type].data.parse(data)).toEqual(data);
});

test("both forms were told of every event that has two", () => {
  const shapes = (type: string) =>
    new Set(told.filter((event) => event.type === type).map(({ data }) => Object.keys(data as object).length))
      .size;
  const two = ["email.sent", "email.delivered", "email.failed", "key.revoked", "key.exposed"];
  expect(two.map((type) => [type, shapes(type)])).toEqual(two.map((type) => [type, 2]));
});
