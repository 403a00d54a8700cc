import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { callWorker, wake } from "../../shared/wake.ts";
import { answerJson, type StandIn, startStandIn } from "../support/stand-in.ts";

let project: StandIn;

beforeEach(async () => {
  project = await startStandIn((_, response) => answerJson(response, 200, { done: 0 }));
  vi.stubEnv("SUPABASE_URL", project.url);
  vi.stubEnv("SUPABASE_SECRET_KEYS", JSON.stringify({ default: "sb_secret_test" }));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  await project.close();
});

test("a worker is called at its function with the project's secret key, and its answer awaited", async () => {
  const answer = await callWorker("deliver-mail", { message_id: "msg_1" });
  expect(await answer.json()).toEqual({ done: 0 });
  expect(project.calls).toHaveLength(1);
  expect(project.calls[0]).toMatchObject({
    method: "POST",
    path: "/functions/v1/deliver-mail",
    headers: { apikey: "sb_secret_test", "content-type": "application/json" },
    body: '{"message_id":"msg_1"}',
  });
});

test("a wake-up outlives the answer: the runtime is told to wait for it", async () => {
  const waiting: Promise<unknown>[] = [];
  vi.stubGlobal("EdgeRuntime", { waitUntil: (work: Promise<unknown>) => void waiting.push(work) });
  wake("dispatch-webhooks");
  expect(waiting).toHaveLength(1);
  await Promise.all(waiting);
  expect(project.calls.map(({ path }) => path)).toEqual(["/functions/v1/dispatch-webhooks"]);
});

test("a wake-up that fails disturbs nobody", async () => {
  const waiting: Promise<unknown>[] = [];
  vi.stubGlobal("EdgeRuntime", { waitUntil: (work: Promise<unknown>) => void waiting.push(work) });
  vi.stubEnv("SUPABASE_URL", "");
  wake("deliver-mail");
  vi.stubEnv("SUPABASE_URL", project.url);
  await project.close();
  wake("process-inbound");
  await expect(Promise.all(waiting)).resolves.toHaveLength(2);
});
