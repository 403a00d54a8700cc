import { json } from "./answers.ts";
import { type Caller, counted } from "./credentials.ts";
import { call, type Facts } from "./database.ts";
import { ApiError } from "./errors.ts";
import { callWorker } from "./wake.ts";

// A provider call ends within 60 s; another worker may hold the message, so its state is what is asked.
const patienceMs = 75_000;
const pauseMs = 500;

async function settled(caller: Caller, id: string): Promise<Facts> {
  const until = Date.now() + patienceMs;
  let state = await call("get_verdict", { p_caller: counted(caller), p_id: id });
  while (state["status"] === "sending" && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    state = await call("get_verdict", { p_caller: counted(caller), p_id: id });
  }
  return state;
}

/**
 * Has a stored message delivered now and answers with what became of it: 200 accepted by the provider, 502
 * `provider_refused`, 504 `outcome_unknown`, both with `message_id`; 202 while it waits for another try.
 */
export async function answerWithVerdict(caller: Caller, sent: Facts, replayed: boolean): Promise<Response> {
  const id = String(sent["id"]);
  await callWorker("deliver-mail", { message_id: id }).then((answer) => answer.body?.cancel()).catch(
    () => {},
  );
  const { status, reason } = await settled(caller, id);
  const because = typeof reason === "string" ? reason.replace(/\.$/, "") : undefined;
  if (status === "failed") throw new ApiError("provider_refused", because, { message_id: id });
  if (status === "unknown" || status === "sending") {
    throw new ApiError("outcome_unknown", because, { message_id: id });
  }
  const headers: Record<string, string> = replayed ? { "idempotent-replayed": "true" } : {};
  return json(status === "queued" ? 202 : 200, { ...sent, status }, headers);
}
