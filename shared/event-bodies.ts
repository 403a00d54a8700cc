import { functionsUrl } from "./environment.ts";
import type { DeliveryWork } from "./schemas/outgoing.ts";

/** Larger than this, in bytes of UTF-8, no webhook is; what it leaves out is a link away. */
export const largestBody = 256 * 1024;

type Event = DeliveryWork["event"];
type Facts = Record<string, unknown>;

function envelope({ id, type, created_at }: Event, data: Facts): string {
  return JSON.stringify({ id, type, created_at, data });
}

function linkTo({ id }: Event): string {
  return `${functionsUrl()}/events/${id}`;
}

function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The facts without the longest, as many of them as must go for the rest to fit. */
function truncated(event: Event, facts: Facts): string {
  const rest = { truncated: true, url: linkTo(event) };
  // A fact's name and value as they are written, with the comma behind them.
  const sized = Object.keys(facts).map((name) => ({
    name,
    size: sizeOf(JSON.stringify({ [name]: facts[name] })) - 1,
  })).sort((one, other) => other.size - one.size);
  let size = sizeOf(envelope(event, rest)) + sized.reduce((sum, fact) => sum + fact.size, 0);
  const left = { ...facts };
  for (const fact of sized) {
    if (size <= largestBody) break;
    delete left[fact.name];
    size -= fact.size;
  }
  return envelope(event, { ...left, ...rest });
}

/**
 * The bytes of an event: Mailpipe's envelope and nothing else. Above 256 KiB the longest facts are left out, and
 * `truncated: true` and a `url` to the whole event stand in their place. `JSON.stringify(JSON.parse(body))` yields the
 * bytes again, which Mailpipe's sample relies on.
 */
export function composeEventBody(event: Event): string {
  const facts = event.data ?? {};
  const body = envelope(event, facts);
  return sizeOf(body) <= largestBody ? body : truncated(event, facts);
}

/** The bytes of an event for a thin endpoint: its ids, and a `url` to the whole event. */
export function composeThinBody(event: Event): string {
  const ids = Object.entries(event.data ?? {}).filter(([name]) => name.endsWith("_id"));
  return envelope(event, { ...Object.fromEntries(ids), url: linkTo(event) });
}
