import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { answerWithVerdict } from "../../shared/verdict.ts";
import { answerJson, type StandIn, startStandIn } from "../support/stand-in.ts";

const caller = { key_hash: "0".repeat(64) };
const sent = { id: "msg_1", status: "queued", thread_id: "thr_1", created_at: "2025-01-02T03:04:05.678Z" };

let project: StandIn;
/** What get_verdict says, call by call; the last stays. */
let verdicts: { status: string; reason?: string | null }[];
let asked: number;

beforeEach(async () => {
  asked = 0;
  project = await startStandIn(({ path }, response) =>
    path === "/rest/v1/rpc/get_verdict"
      ? answerJson(response, 200, verdicts[Math.min(asked++, verdicts.length - 1)])
      : answerJson(response, 200, { done: 1 })
  );
  vi.stubEnv("SUPABASE_URL", project.url);
  vi.stubEnv("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_test"}');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await project.close();
});

test("the message is delivered now, by a worker told which it is, and then asked about", async () => {
  verdicts = [{ status: "sent" }];
  await answerWithVerdict(caller, sent, false);
  expect(project.calls.map(({ path, body }) => [path, JSON.parse(body)])).toEqual([
    ["/functions/v1/deliver-mail", { message_id: "msg_1" }],
    ["/rest/v1/rpc/get_verdict", { p_caller: { ...caller, counted: true }, p_id: "msg_1" }],
  ]);
});

describe("what became of it is the answer", () => {
  test.each([["sent", 200], ["delivered", 200], ["mixed", 200], ["queued", 202]])(
    "%s is %i",
    async (status, code) => {
      verdicts = [{ status }];
      const response = await answerWithVerdict(caller, sent, false);
      expect(response.status).toBe(code);
      expect(await response.json()).toEqual({ ...sent, status });
      expect(response.headers.has("idempotent-replayed")).toBe(false);
    },
  );

  test.each([["failed", "provider_refused"], ["unknown", "outcome_unknown"]])(
    "%s is %s, with the message's id and the provider's reason",
    async (status, code) => {
      verdicts = [{ status, reason: "No such user." }];
      await expect(answerWithVerdict(caller, sent, false)).rejects.toMatchObject({
        code,
        particulars: "No such user",
        extra: { message_id: "msg_1" },
      });
    },
  );

  test("a repeat says that it is one", async () => {
    verdicts = [{ status: "sent" }];
    const response = await answerWithVerdict(caller, sent, true);
    expect(response.headers.get("idempotent-replayed")).toBe("true");
  });
});

test("while another worker is sending, its state is awaited", async () => {
  const original = setTimeout;
  const pause = vi.spyOn(globalThis, "setTimeout").mockImplementation(
    ((run: () => void, ms: number) => original(run, ms === 500 ? 0 : ms)) as never,
  );
  verdicts = [{ status: "sending" }, { status: "sending" }, { status: "sent" }];
  expect((await answerWithVerdict(caller, sent, false)).status).toBe(200);
  expect(asked).toBe(3);
  expect(pause.mock.calls.filter(([, ms]) => ms === 500)).toHaveLength(2);
});

test("one still sending after the longest provider call is not known, and is not asked about for ever", async () => {
  verdicts = [{ status: "sending", reason: null }];
  const start = Date.now();
  vi.spyOn(Date, "now").mockImplementation(() => start + asked * 80_000);
  await expect(answerWithVerdict(caller, sent, false)).rejects.toMatchObject({
    code: "outcome_unknown",
    extra: { message_id: "msg_1" },
  });
  expect(asked).toBe(1);
});

test("a worker out of reach takes nothing away: the message is stored and its state says so", async () => {
  verdicts = [{ status: "queued" }];
  await project.close();
  project = await startStandIn(({ path }, response) =>
    path.startsWith("/functions/") ? response.destroy() : answerJson(response, 200, { status: "queued" })
  );
  vi.stubEnv("SUPABASE_URL", project.url);
  expect((await answerWithVerdict(caller, sent, false)).status).toBe(202);
});
