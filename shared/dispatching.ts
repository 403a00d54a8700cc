import { EgressFailed, egressFetch, EgressRefused } from "./egress.ts";
import { retryAfterSeconds } from "./retry-after.ts";
import { retryDelay } from "./retry-schedule.ts";
import type { DeliveryWork } from "./schemas/outgoing.ts";
import { signWebhook } from "./signature.ts";
import { storableText } from "./storable-text.ts";

/** One try at one delivery, as finish_deliveries takes it. */
export interface DeliveryResult {
  job_id: string;
  fence: number;
  delivery_id: string;
  outcome: string;
  status_code: number | null;
  duration_ms: number;
  /** The beginning of the answer, or why there was none. */
  detail: string | null;
  retry_in_seconds: number | null;
  disable: boolean;
}

// DESIGN §10.
const deadlineMs = 15_000;
const answerBytes = 64 * 1024;

/** The bytes of an event. `JSON.stringify(JSON.parse(body))` yields them again, which Mailpipe's sample relies on. */
export function composeEventBody({ id, type, created_at, data }: DeliveryWork["event"]): string {
  return JSON.stringify({ id, type, created_at, data });
}

interface Try {
  outcome: string;
  status_code: number | null;
  detail: string | null;
  retry_after: number | null;
  disable: boolean;
}

function failed(outcome: string, detail: string, status: number | null = null): Try {
  return { outcome, status_code: status, detail, retry_after: null, disable: false };
}

async function post(work: DeliveryWork, body: string, now: Date): Promise<Try> {
  const signed = signWebhook({
    id: work.event.id,
    timestampSeconds: now.getTime() / 1000,
    body,
    secrets: [work.secret],
  });
  try {
    const answer = await egressFetch(work.url, {
      method: "POST",
      headers: { "content-type": "application/json", "user-agent": "Mailpipe-Webhooks/1", ...signed },
      body,
      deadlineMs,
      maxBytes: answerBytes,
    });
    const succeeded = answer.status >= 200 && answer.status < 300;
    return {
      outcome: succeeded ? "succeeded" : "http_error",
      status_code: answer.status,
      detail: storableText(new TextDecoder().decode(answer.body).slice(0, 1000)),
      retry_after: succeeded ? null : retryAfterSeconds(answer.headers["retry-after"], now),
      disable: answer.status === 410,
    };
  } catch (error) {
    if (error instanceof EgressRefused) return failed(error.code, error.message);
    if (error instanceof EgressFailed) return failed(error.failure, error.message, error.status);
    throw error;
  }
}

/**
 * Posts one claimed delivery, signed in both schemes. The same bytes on every try; 410 disables the endpoint; an
 * endpoint that was disabled meanwhile is not called. `random` in [0, 1) spreads the retries.
 */
export async function dispatchDelivery(
  work: DeliveryWork,
  body: string,
  now: Date,
  random: number,
): Promise<DeliveryResult> {
  const started = performance.now();
  const tried = work.enabled ? await post(work, body, now) : failed("disabled", "The endpoint is disabled.");
  const final = tried.outcome === "succeeded" || tried.outcome === "disabled" || tried.disable;
  const { retry_after, ...facts } = tried;
  return {
    job_id: work.job_id,
    fence: work.fence,
    delivery_id: work.delivery_id,
    ...facts,
    duration_ms: Math.round(performance.now() - started),
    retry_in_seconds: final ? null : retryDelay("webhook", work.attempt, random, retry_after),
  };
}
