import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import deliverMail from "../../functions/deliver-mail/index.ts";
import messages from "../../functions/messages/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import { call } from "../../shared/database.ts";
import { removeStored } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendAnswering, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { connect, type SmtpAccount, startSmtpAccount } from "../support/smtp-account.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";

let api: Api;
let tenant: Tenant;
let account: SmtpAccount;
let resend: ResendStandIn;
let answering: ResendAnswering;
let bySmtp: { provider_id: string };
let byResend: { provider_id: string };
const worker = { project_secret: true } as const;
const mail = { from: "Ada <ada@s.example>", to: ["bob@r.example"], subject: "Hello", text: "Hi" };
let accepted = 0;
const accept: ResendAnswering = (_, response) => json(response, 200, { id: `em_${accepted++}` });

beforeAll(async () => {
  keepLog();
  api = await startApi();
  tenant = await foundTenant(api);
  account = await startSmtpAccount();
  resend = await startResend((request, response) => {
    if (request.path === "/domains") return json(response, 200, { data: [] });
    answering(request, response);
  });
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  bySmtp = { provider_id: (await connect(tenant.live, "smtp", account.credentials)).id };
  byResend = { provider_id: (await connect(tenant.live, "resend", { api_key: "re_of_a_stand_in" })).id };
  await api.database.setClock(new Date().toISOString());
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([account.close(), resend.close(), api.close()]);
});
beforeEach(() => {
  resend.calls.length = 0;
  answering = accept;
  return () => api.database.sql("postgres")`delete from mailpipe.jobs`;
});

async function send(changes: object, token = tenant.live): Promise<string> {
  const answer = await ask(sendMail, "send-mail", { token, body: { ...mail, ...changes } });
  expect(answer.status, answer.text).toBe(202);
  return String(answer.body.id);
}

async function deliver(body: object = {}): Promise<number> {
  const answer = await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body });
  expect(answer.status, answer.text).toBe(200);
  return Number(answer.body.done);
}

const shown = async (id: string, token = tenant.live) =>
  (await ask(messages, `messages/${id}`, { token })).body;
const status = async (id: string) => (await shown(id)).status;
const events = async (id: string) => ((await shown(id)).events as { type: string }[]).map(({ type }) => type);
const reason = async (id: string) => ((await shown(id)).recipients as { reason: string | null }[])[0]?.reason;
const attempts = (id: string) =>
  api.database.sql("postgres")<{ fence: string; outcome: string | null; status_code: number | null }[]>`
    select fence::text, outcome, status_code from mailpipe.attempts where message_id = ${id} order by fence
  `;

/** A worker takes the message and dies before it hands it to anybody. */
async function claim(id: string): Promise<{ job_id: string; fence: number }> {
  const claimed = await call("claim_messages", { p_caller: worker, p_limit: 1, p_message_id: id });
  const [work] = claimed as unknown as { job_id: string; fence: number }[];
  if (work === undefined) throw new Error("nothing was claimed");
  return work;
}

/** A worker dies with the message handed over, before it hears an answer. */
async function crash(id: string): Promise<{ job_id: string; fence: number }> {
  const work = await claim(id);
  await call("begin_attempt", { p_caller: worker, p_job_id: work.job_id, p_fence: work.fence });
  return work;
}

describe("deliver-mail", () => {
  test("hands a message to the SMTP server as it was written", async () => {
    const id = await send({
      ...bySmtp,
      to: ["Bob <bob@r.example>"],
      bcc: ["hidden@r.example"],
      subject: "Grüße 漢字",
      html: "<p>Hi</p>",
      headers: { "X-Order": "7" },
      attachments: [{ filename: "a.txt", content: Buffer.from("attached").toString("base64") }],
    });
    expect(await deliver()).toBe(1);
    const [kept] = await account.mails();
    expect(kept).toMatchObject({ from: "ada@s.example", to: ["bob@r.example", "hidden@r.example"] });
    expect(kept?.raw).toContain(`Message-ID: <${String((await shown(id)).message_id)}>`);
    expect(kept?.raw).toMatch(/^X-Order: 7\r$/m);
    expect(kept?.raw).toContain(Buffer.from("attached").toString("base64"));
    expect(kept?.raw).not.toContain("hidden@r.example");
    expect(await shown(id)).toMatchObject({ status: "sent", sent_at: expect.any(String) as string });
    expect(await events(id)).toEqual(["email.queued", "email.sent"]);
  });

  test("commits the attempt before it calls the provider", async () => {
    const id = await send(byResend);
    let before: unknown;
    answering = (request, response) => {
      void attempts(id).then((rows) => {
        before = [...rows];
        accept(request, response);
      });
    };
    await deliver();
    expect(before).toEqual([{ fence: "1", outcome: null, status_code: null }]);
    expect(await attempts(id)).toMatchObject([{ outcome: "sent" }]);
  });

  test("gives Resend the message's id as its idempotency key", async () => {
    const id = await send(byResend);
    await deliver();
    expect(resend.calls.map(({ headers }) => headers["idempotency-key"])).toEqual([id]);
  });

  test("delivers test mail to the sandbox: no call leaves", async () => {
    const { length } = await account.mails();
    const id = await send({}, tenant.test);
    await deliver();
    expect(await shown(id, tenant.test)).toMatchObject({ status: "delivered", provider_id: null });
    expect(resend.calls).toEqual([]);
    expect(await account.mails()).toHaveLength(length);
  });

  test("sends each message once though four workers wake at once", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => send(byResend)));
    const done = await Promise.all([deliver(), deliver(), deliver(), deliver()]);
    expect(done.reduce((sum, each) => sum + each, 0)).toBe(20);
    expect(resend.calls.map(({ headers }) => headers["idempotency-key"]).sort()).toEqual([...ids].sort());
  });

  test("sends only the message somebody waits for, if one is named", async () => {
    const [first, second] = [await send(byResend), await send(byResend)];
    expect(await deliver({ message_id: second })).toBe(1);
    expect([await status(first), await status(second)]).toEqual(["queued", "sent"]);
    expect(await deliver({ message_id: second })).toBe(0);
    expect(await deliver()).toBe(1);
  });

  test("says failed with the provider's words when it refused, and does not ask again", async () => {
    answering = (_, response) => json(response, 422, { name: "validation_error", message: "not verified" });
    const id = await send(byResend);
    await deliver();
    expect(await status(id)).toBe("failed");
    expect(await reason(id)).toContain("not verified");
    expect(await events(id)).toEqual(["email.queued", "email.failed"]);
    await api.database.advanceClock("2 days");
    expect(await deliver()).toBe(0);
  });

  test("tries again when the provider said later, never before it said", async () => {
    answering = (_, response) =>
      json(response, 429, { name: "rate_limit_exceeded", message: "slow" }, { "retry-after": "300" });
    const id = await send(byResend);
    await deliver();
    expect(await status(id)).toBe("queued");
    expect(await attempts(id)).toMatchObject([{ outcome: "retry", status_code: 429 }]);
    answering = accept;
    await api.database.advanceClock("299 seconds");
    expect(await deliver()).toBe(0);
    await api.database.advanceClock("62 seconds");
    expect(await deliver()).toBe(1);
    expect(await status(id)).toBe("sent");
  });

  test("tries again when the SMTP server cannot be reached", async () => {
    const closed = await startSmtpAccount();
    const { id: provider_id } = await connect(tenant.live, "smtp", closed.credentials);
    await closed.close();
    const id = await send({ provider_id });
    await deliver();
    expect(await status(id)).toBe("queued");
    expect(await attempts(id)).toMatchObject([{ outcome: "retry" }]);
  });

  test("keeps a message whose attachment cannot be read now, and sends nothing of it", async () => {
    const id = await send({ ...byResend, attachments: [{ filename: "a", content: "Z29uZQ==" }] });
    const [row] = await api.database.sql("postgres")<{ storage_key: string }[]>`
      select storage_key from mailpipe.attachments where message_id = ${id}
    `;
    await removeStored([row?.storage_key ?? ""]);
    await deliver();
    expect(await status(id)).toBe("queued");
    expect(await reason(id)).toContain("attachment");
    expect(resend.calls).toEqual([]);
  });

  test("goes to no private address the operator did not open", async () => {
    const { length } = await account.mails();
    const id = await send(bySmtp);
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    await deliver();
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
    expect(await status(id)).toBe("failed");
    expect(await account.mails()).toHaveLength(length);
  });

  test.each([{ message_id: "1" }, { message_id: `key_${"0".repeat(26)}` }, { message_id: 1 }])(
    "is 422 for %j",
    async (body) => {
      const answer = await ask(deliverMail, "deliver-mail", { headers: { apikey: api.secretKey }, body });
      expect(refusal(answer)).toEqual([422, "invalid_request", "message_id"]);
    },
  );
});

describe("after a crash", () => {
  test("a message is nobody else's while the lease runs", async () => {
    const id = await send(byResend);
    await crash(id);
    await api.database.advanceClock("119 seconds");
    expect(await deliver()).toBe(0);
    expect(await status(id)).toBe("sending");
    await api.database.advanceClock("1 second");
    expect(await deliver()).toBe(1);
  });

  test("an SMTP message is unknown and not sent again", async () => {
    const { length } = await account.mails();
    const id = await send(bySmtp);
    await crash(id);
    await api.database.advanceClock("120 seconds");
    expect(await deliver()).toBe(1);
    expect(await status(id)).toBe("unknown");
    expect(await events(id)).toEqual(["email.queued", "email.unknown"]);
    await api.database.advanceClock("10 days");
    expect(await deliver()).toBe(0);
    expect(await account.mails()).toHaveLength(length);
    expect((await attempts(id)).map(({ outcome }) => outcome)).toEqual([null]);
  });

  test("before the attempt was on record, an SMTP message is sent, once", async () => {
    const { length } = await account.mails();
    const id = await send(bySmtp);
    await claim(id);
    await api.database.advanceClock("120 seconds");
    expect(await deliver()).toBe(1);
    expect(await status(id)).toBe("sent");
    expect(await account.mails()).toHaveLength(length + 1);
  });

  test("a worker that lost its claim hands nothing over", async () => {
    const id = await send(byResend);
    const { job_id, fence } = await claim(id);
    await api.database.advanceClock("120 seconds");
    expect(await deliver()).toBe(1);
    const late = { p_caller: worker, p_job_id: job_id, p_fence: fence };
    expect(await call("begin_attempt", late)).toEqual({ begun: false });
    expect(await attempts(id)).toMatchObject([{ fence: "2", outcome: "sent" }]);
  });

  test("a Resend message is asked for again with the same key and the same body", async () => {
    const id = await send({ ...byResend, cc: ["c@r.example"], metadata: { a: "b" } });
    answering = (_, response) => void response.destroy();
    await deliver();
    expect(await status(id)).toBe("sending");
    answering = accept;
    await api.database.advanceClock("1 minute");
    await crash(id);
    await api.database.advanceClock("2 minutes");
    expect(await deliver()).toBe(1);
    expect(await status(id)).toBe("sent");
    expect(await events(id)).toEqual(["email.queued", "email.sent"]);
    const [first, second, ...more] = resend.calls;
    expect(more).toEqual([]);
    expect(second?.headers["idempotency-key"]).toBe(id);
    expect([second?.headers["idempotency-key"], second?.body]).toEqual([
      first?.headers["idempotency-key"],
      first?.body,
    ]);
  });

  test("a message nobody ever answers for ends as unknown, asked eleven times with one key", async () => {
    answering = (_, response) => json(response, 200, { no: "id" });
    const id = await send(byResend);
    for (let tries = 0; tries < 15; tries++) {
      await deliver();
      await api.database.advanceClock("10 hours");
    }
    expect(await status(id)).toBe("unknown");
    expect(await events(id)).toEqual(["email.queued", "email.unknown"]);
    expect(resend.calls).toHaveLength(11);
    expect(new Set(resend.calls.map(({ headers }) => headers["idempotency-key"]))).toEqual(new Set([id]));
  });

  test("what the dead worker says late changes nothing", async () => {
    const id = await send(byResend);
    const { job_id, fence } = await crash(id);
    await api.database.advanceClock("120 seconds");
    const again = await crash(id);
    expect(again.fence).toBe(fence + 1);
    const refused = {
      outcome: "refused",
      reason: "late",
      status: 400,
      retry_in_seconds: null,
      duration_ms: 1,
    };
    const late = { p_caller: worker, p_job_id: job_id, p_fence: fence, p_result: refused };
    const before = await shown(id);
    expect(await call("finish_message", late)).toEqual({ accepted: false });
    expect(await shown(id)).toEqual(before);
    expect((await attempts(id)).map(({ outcome }) => outcome)).toEqual([null, null]);

    const sent = { outcome: "sent", provider_message_id: "em_late", response: "200", refused: [] };
    const result = { ...sent, retry_in_seconds: null, duration_ms: 1 };
    const inTime = { p_caller: worker, p_job_id: job_id, p_fence: again.fence, p_result: result };
    expect(await call("finish_message", inTime)).toEqual({ accepted: true });
    expect(await call("finish_message", late)).toEqual({ accepted: false });
    expect(await call("finish_message", inTime)).toEqual({ accepted: false });
    expect(await status(id)).toBe("sent");
    expect(await events(id)).toEqual(["email.queued", "email.sent"]);
  });
});
