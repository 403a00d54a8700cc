import { storeArrivedMail } from "./arriving-mail.ts";
import type { InboundItem, ProviderEvent, ReceivedMail } from "./inbound/contract.ts";
import { inboundKind } from "./inbound/registry.ts";
import { isBeyondSchedule, retryDelay } from "./retry-schedule.ts";
import type { InboundWork } from "./schemas/inbound.ts";
import { readStored } from "./storage.ts";
import { storableLine } from "./storable-text.ts";

/** What a stored request came to, as finish_inbound takes it. */
export interface InboundResult {
  events: ProviderEvent[];
  mails: Record<string, unknown>[];
  failure: string | null;
  retry_in_seconds: number | null;
}

async function interpret(work: InboundWork): Promise<InboundItem[]> {
  const kind = inboundKind(work.kind);
  if (kind === null) throw new Error(`no inbound kind ${work.kind}`);
  const request = { headers: work.headers, body: await readStored(work.storage_key) };
  const secrets = { credentials: work.credentials ?? {}, inbound_secret: work.inbound_secret };
  return await kind.interpret(request, secrets);
}

/** Works out what a stored request says and stores the bytes it brought. Never throws: a failure is tried again. */
export async function processInbound(work: InboundWork, random: number): Promise<InboundResult> {
  try {
    // A mail that brings its worker down each time is not tried for ever; its raw bytes stay.
    if (isBeyondSchedule("inbound", work.attempt)) throw new Error("every earlier try ended without a word");
    const items = await interpret(work);
    const mails: Record<string, unknown>[] = [];
    for (const mail of items.filter((item): item is ReceivedMail => item.item === "mail")) {
      mails.push(await storeArrivedMail(work, mail));
    }
    const events = items.filter((item): item is ProviderEvent => item.item === "event");
    return { events, mails, failure: null, retry_in_seconds: null };
  } catch (error) {
    const failure = error instanceof Error ? storableLine(error.message, 500) : "unknown";
    return { events: [], mails: [], failure, retry_in_seconds: retryDelay("inbound", work.attempt, random) };
  }
}
