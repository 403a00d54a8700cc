import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { events } from "../../shared/schemas/events.ts";
import { keepLog } from "../support/log.ts";
import { type Answering, holding, startTrial, status, type Trial } from "../support/webhook-trial.ts";

const day = 86_400;
/** From the first try to the eleventh, when chance adds nothing. */
const wholeSchedule = 272_165;

let trial: Trial;
let start: number;

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  trial = await startTrial();
});
afterAll(async () => {
  await trial.close();
  vi.unstubAllEnvs();
});
beforeEach(async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  await trial.clear();
  await owner()`update mailpipe.settings set notify_from = null`;
  await owner()`delete from mailpipe.providers`;
  start = await now();
});
afterEach(() => vi.spyOn(Math, "random").mockRestore());

const owner = () => trial.api.database.sql("postgres");

async function now(): Promise<number> {
  const [read] = await owner()<{ at: number }[]>`select extract(epoch from mailpipe.clock())::float8 as at`;
  return read?.at ?? 0;
}

const endpoint = async (id: string) => {
  const [found] = await owner()<{ enabled: boolean; reason: string | null; at: number; failing: boolean }[]>`
    select enabled, disabled_reason as reason, extract(epoch from disabled_at)::float8 as at,
           failing_since is not null as failing
    from mailpipe.webhook_endpoints where id = ${id}
  `;
  return found;
};

/** Makes every try that is due up to `seconds` after the start, each in its moment, and ends there. */
async function passTo(seconds: number): Promise<void> {
  const end = new Date((start + seconds) * 1000).toISOString();
  for (;;) {
    await trial.work();
    const [next] = await owner()<{ due: boolean }[]>`
      update test_clock.reading
      set at = least(
        ${end}::timestamptz,
        (select min(greatest(due_at, at)) from mailpipe.jobs where kind = 'dispatch_delivery')
      )
      returning at < ${end}::timestamptz as due
    `;
    if (!next?.due) break;
  }
  await trial.work();
}

/** An endpoint that answers so, and nobody else. */
async function subscribe(answer: Answering, token = trial.tenant.test): Promise<string> {
  trial.sink.answers.set("/hook", answer);
  return await trial.subscribe("/hook", {}, token);
}

describe("an endpoint is disabled for failing", () => {
  test("after five days of nothing else, and not a second sooner", async () => {
    const id = await subscribe(status(404));
    await trial.emit(2);
    await passTo(5 * day - wholeSchedule - 1);
    await trial.emit();
    await passTo(5 * day - wholeSchedule);
    await trial.emit();
    await passTo(5 * day - 1);
    // The third event has just been given up.
    expect((await trial.known()).map(({ state }) => state).sort()).toEqual([
      "failed",
      "failed",
      "failed",
      "pending",
    ]);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failing: true });
    await passTo(5 * day);
    expect(await endpoint(id)).toMatchObject({ enabled: false, reason: "failing" });
    expect((await endpoint(id))?.at).toBeCloseTo(start + 5 * day, 2);
  });

  test("over three events at least", async () => {
    const id = await subscribe(status(404));
    await trial.emit();
    await passTo(3 * day);
    await trial.emit();
    await passTo(7 * day);
    expect((await trial.known()).map(({ state }) => state)).toEqual(["failed", "failed"]);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failing: true });
    await trial.emit();
    await passTo(11 * day);
    expect(await endpoint(id)).toMatchObject({ enabled: false, reason: "failing" });
  });

  test("and any success begins the five days anew", async () => {
    const id = await subscribe(status(404));
    await trial.emit(3);
    await passTo(4 * day);
    trial.sink.answers.clear();
    await trial.emit();
    await passTo(4 * day);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failing: false });
    trial.sink.answers.set("/hook", status(404));
    await trial.emit(3);
    await passTo(8 * day);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failing: true });
    await passTo(9 * day - wholeSchedule);
    await trial.emit();
    await passTo(9 * day);
    expect(await endpoint(id)).toMatchObject({ enabled: false, reason: "failing" });
  });

  test("what failed before it succeeded is none of the three events", async () => {
    const id = await subscribe(status(404));
    await trial.emit(3);
    await passTo(4 * day);
    trial.sink.answers.clear();
    await trial.emit();
    await passTo(4 * day);
    trial.sink.answers.set("/hook", status(404));
    await trial.emit();
    await passTo(7 * day);
    await trial.emit();
    await passTo(12 * day);
    expect(await endpoint(id)).toMatchObject({ enabled: true, failing: true });
  });
});

const reasons: [string, Answering][] = [
  ["gone", status(410)],
  ["asked", status(200, { "webhook-delivery": "disable" })],
];

describe.each(reasons)("an endpoint that is %s", (reason, answer) => {
  test("is disabled at once and told of once, though several answers say so", async () => {
    const gate = holding();
    const id = await subscribe(gate.answer);
    await trial.emit(3);
    const working = trial.work();
    await vi.waitUntil(() => gate.held() === 3);
    gate.release(reason === "gone" ? 410 : 200);
    await working;
    // A 200 says nothing without its header.
    if (reason === "asked") {
      expect(await endpoint(id)).toMatchObject({ enabled: true });
      trial.sink.answers.set("/hook", answer);
      await trial.emit(3);
      await trial.work();
    }
    expect(await endpoint(id)).toMatchObject({ enabled: false, reason });
    expect(await owner()`select id from mailpipe.events where type = 'webhook.disabled'`).toHaveLength(1);
    expect(await lines(id)).toEqual([{ actor_kind: "system", environment: "test", detail: { reason } }]);
  });

  test("gets nothing of what waits, which is kept as failed, and nothing new is kept for it", async () => {
    await subscribe(status(404));
    await trial.emit(2);
    await trial.work();
    trial.sink.answers.set("/hook", answer);
    await trial.emit();
    await trial.work();
    const asked = trial.sink.calls.length;
    await trial.emit();
    await passTo(4 * day);
    expect(trial.sink.calls).toHaveLength(asked);
    const deliveries = await trial.known();
    expect(deliveries).toHaveLength(3);
    expect(deliveries.filter(({ failure }) => failure === "disabled").map(({ state }) => state))
      .toEqual(["failed", "failed"]);
    expect(await owner()`select id from mailpipe.jobs where kind = 'dispatch_delivery'`).toEqual([]);
  });
});

const lines = async (id: string) => [
  ...await owner()`
    select actor_kind, environment, detail from mailpipe.audit
    where subject_id = ${id} and action = 'webhook.disabled'
  `,
];

describe("what is told of it", () => {
  test("goes to the other endpoints, as the catalogue says, and not to it", async () => {
    const id = await subscribe(status(410));
    await trial.subscribe("/watch", { events: ["webhook.disabled"] });
    await trial.emit();
    await trial.work();
    expect(trial.sink.to("/hook")).toHaveLength(1);
    const [told, ...more] = trial.sink.to("/watch").map(({ body }) =>
      JSON.parse(body) as { type: string; data: Record<string, unknown> }
    );
    expect(more).toEqual([]);
    expect(told?.type).toBe("webhook.disabled");
    expect(events["webhook.disabled"].data.parse(told?.data)).toEqual(told?.data);
    expect(told?.data).toMatchObject({ endpoint_id: id, reason: "gone", url: `${trial.sink.url}/hook` });
  });

  const mails = async () => [
    ...await owner()<{ to: string; environment: string; text: string }[]>`
      select recipient.email as to, message.environment, message.text_body as text
      from mailpipe.messages as message
      join mailpipe.recipients as recipient on recipient.message_id = message.id
      where message.from_email = 'security@acme.example'
    `,
  ];

  test.each([
    ["from nobody", "live", false, true, 0],
    ["without an account", "live", true, false, 0],
    ["of a test endpoint", "test", true, true, 0],
    ["with both", "live", true, true, 1],
  ])("is mailed to the owners, %s (%s)", async (_, environment, sender, account, count) => {
    if (sender) await owner()`update mailpipe.settings set notify_from = 'security@acme.example'`;
    if (account) {
      await owner()`
        insert into mailpipe.providers (
          organization_id, environment, kind, name, is_default, credentials, inbound_token_hash
        )
        values (
          ${trial.tenant.organization_id}, 'live', 'smtp', 'ours', true,
          extensions.pgp_sym_encrypt('x', 'x', 'cipher-algo=aes256, s2k-mode=1'), sha256('x')
        )
      `;
    }
    const id = await subscribe(status(410), environment === "live" ? trial.tenant.live : trial.tenant.test);
    await trial.emit(1, { environment });
    await trial.work();
    expect(await endpoint(id)).toMatchObject({ enabled: false });
    expect(await lines(id)).toHaveLength(1);
    const sent = await mails();
    expect(sent).toHaveLength(count);
    for (const { to, text, ...mail } of sent) {
      expect([to, mail.environment]).toEqual(["owner@acme.example", "live"]);
      for (const part of [id, `${trial.sink.url}/hook`, "gone"]) expect(text).toContain(part);
    }
  });
});
