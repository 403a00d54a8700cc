import { excerptOf } from "./answer-excerpt.ts";
import { type EgressAnswer, EgressFailed, egressFetch, EgressRefused } from "./egress.ts";
import { retryAfterSeconds } from "./retry-after.ts";
import { retryDelay } from "./retry-schedule.ts";
import type { DeliveryWork } from "./schemas/outgoing.ts";
import { signWebhook } from "./signature.ts";

/** One try at one delivery, as exchange_deliveries takes it. */
export interface DeliveryResult {
  job_id: string;
  fence: number;
  delivery_id: string;
  /** `succeeded`, `disabled` (nobody was called), or the class of the failure. */
  outcome: string;
  status_code: number | null;
  duration_ms: number;
  /** The beginning of the answer, or why there was none. */
  detail: string | null;
  /** The receiver has trouble: it is asked less until it answers well again. */
  overloaded: boolean;
  retry_in_seconds: number | null;
  /** How long the receiver asks not to be called with anything. */
  leave_alone_seconds: number | null;
  disable: "gone" | "asked" | null;
}

// DESIGN §10.
const deadlineMs = 15_000;
const answerBytes = 64 * 1024;
/** A receiver that is busy is not asked again sooner, though the schedule begins with 5 s. */
const busySeconds = 30;

type Facts = Omit<DeliveryResult, "job_id" | "fence" | "delivery_id" | "duration_ms" | "retry_in_seconds">;

interface Try extends Facts {
  /** The least time to the next try, in seconds. */
  wait: number;
}

const nothing: Omit<Try, "outcome" | "detail"> = {
  status_code: null,
  overloaded: false,
  leave_alone_seconds: null,
  disable: null,
  wait: 0,
};

function disabling({ status, headers }: EgressAnswer): Try["disable"] {
  // Sent twice it comes joined.
  const asked = headers["webhook-delivery"]?.split(",").map((each) => each.trim().toLowerCase()) ?? [];
  if (asked.includes("disable")) return "asked";
  return status === 410 ? "gone" : null;
}

function answered(answer: EgressAnswer, now: Date): Try {
  const { status } = answer;
  const succeeded = status >= 200 && status < 300;
  const overloaded = status === 429 || status >= 500;
  const asked = succeeded ? null : retryAfterSeconds(answer.headers["retry-after"], now);
  return {
    outcome: succeeded ? "succeeded" : "http_error",
    status_code: status,
    detail: excerptOf(answer),
    overloaded,
    // RFC 6585 §4 and RFC 9110 §15.6.4: these two speak of the receiver and not of the one request.
    leave_alone_seconds: status === 429 || status === 503 ? asked : null,
    disable: disabling(answer),
    wait: Math.max(asked ?? 0, overloaded ? busySeconds : 0),
  };
}

function failed({ failure, message, status }: EgressFailed): Try {
  const slow = failure === "timeout" || failure === "too_slow";
  return {
    ...nothing,
    outcome: failure,
    detail: message,
    status_code: status,
    overloaded: failure !== "redirect",
    wait: slow ? busySeconds : 0,
  };
}

function headersOf(work: DeliveryWork, secret: string, body: string, now: Date): Record<string, string> {
  const signed = signWebhook({
    id: work.event.id,
    timestampSeconds: now.getTime() / 1000,
    body,
    secret,
    previousSecret: work.previous_secret,
  });
  return {
    ...work.headers,
    "content-type": "application/json",
    "user-agent": "Mailpipe-Webhooks/1",
    "x-mailpipe-payload-version": String(work.payload_version),
    ...signed,
  };
}

async function post(work: DeliveryWork, body: string, now: Date): Promise<Try> {
  if (work.secret === null) {
    const detail = "The endpoint's secrets cannot be opened with this project's master key.";
    return { ...nothing, outcome: "secret_unreadable", detail, overloaded: true };
  }
  try {
    const headers = headersOf(work, work.secret, body, now);
    const request = { method: "POST", headers, body, deadlineMs, maxBytes: answerBytes };
    return answered(await egressFetch(work.url, request), now);
  } catch (error) {
    if (error instanceof EgressRefused) return { ...nothing, outcome: error.code, detail: error.message };
    if (error instanceof EgressFailed) return failed(error);
    throw error;
  }
}

/**
 * Posts one claimed delivery, signed in both schemes. The same bytes on every try. 410 and `webhook-delivery: disable`
 * disable the endpoint, the latter also with a success; an endpoint that was disabled meanwhile is not called. `random` in
 * [0, 1) spreads the retries.
 */
export async function dispatchDelivery(
  work: DeliveryWork,
  body: string,
  now: Date,
  random: number,
): Promise<DeliveryResult> {
  const started = performance.now();
  const { wait, ...facts } = work.enabled
    ? await post(work, body, now)
    : { ...nothing, outcome: "disabled", detail: "The endpoint is disabled." };
  const final = facts.outcome === "succeeded" || facts.outcome === "disabled" || facts.disable !== null;
  return {
    job_id: work.job_id,
    fence: work.fence,
    delivery_id: work.delivery_id,
    ...facts,
    duration_ms: Math.round(performance.now() - started),
    retry_in_seconds: final ? null : retryDelay("webhook", work.attempt, random, wait),
  };
}
