import type { OutgoingMessage, Verdict } from "./providers/contract.ts";
import { type Account, openAccount } from "./providers/registry.ts";
import { isBeyondSchedule, retryDelay } from "./retry-schedule.ts";
import type { MessageWork } from "./schemas/outgoing.ts";
import { readStored } from "./storage.ts";

/** A verdict with when to try again, as finish_message takes it. */
export type FinishedVerdict = Verdict & { retry_in_seconds: number | null; duration_ms: number };

async function withBytes(message: MessageWork["message"]): Promise<OutgoingMessage> {
  const attachments: OutgoingMessage["attachments"] = [];
  for (const { filename, content_type, content_id, storage_key } of message.attachments) {
    attachments.push({ filename, content_type, content_id, bytes: await readStored(storage_key) });
  }
  return { ...message, attachments };
}

type Outcome = { verdict: Verdict; idempotent: boolean };

/** Null when the claim was lost before anything was sent: another worker has the message now. */
async function outcomeOf(work: MessageWork, begin: () => Promise<boolean>): Promise<Outcome | null> {
  let account: Account | null;
  try {
    account = await openAccount(work.provider?.kind ?? "sandbox", work.provider?.credentials ?? {});
  } catch {
    account = null;
  }
  if (account === null) {
    const reason = "The provider's stored credentials cannot be used.";
    return {
      verdict: { outcome: "refused", reason, status: null, credential_rejected: true },
      idempotent: true,
    };
  }
  const { idempotent } = account;
  if (work.unfinished_attempt && (!idempotent || isBeyondSchedule("mail", work.attempt))) {
    // An earlier try may have been accepted, and this provider keeps no key to ask by: never silently repeated. Nor
    // is a message asked for again for ever that brings its worker down each time.
    const reason = "An earlier try ended without an answer.";
    return { verdict: { outcome: "unknown", reason }, idempotent };
  }
  let message: OutgoingMessage;
  try {
    message = await withBytes(work.message);
  } catch {
    const reason = "An attachment could not be read from storage.";
    return { verdict: { outcome: "retry", reason, status: null, retry_after_seconds: null }, idempotent };
  }
  return await begin() ? { verdict: await account.send(message), idempotent } : null;
}

/**
 * Sends one claimed message and says what became of it. `begin` puts the attempt on record right before the provider
 * is called, and says whether the claim still holds: null when it does not. `random` in [0, 1) spreads the retries.
 */
export async function deliverMessage(
  work: MessageWork,
  random: number,
  begin: () => Promise<boolean>,
): Promise<FinishedVerdict | null> {
  const started = performance.now();
  const outcome = await outcomeOf(work, begin);
  if (outcome === null) return null;
  const { verdict, idempotent } = outcome;
  const again = verdict.outcome === "retry" || (verdict.outcome === "unknown" && idempotent);
  const retryAfter = verdict.outcome === "retry" ? verdict.retry_after_seconds : null;
  return {
    ...verdict,
    retry_in_seconds: again ? retryDelay("mail", work.attempt, random, retryAfter) : null,
    duration_ms: Math.round(performance.now() - started),
  };
}
