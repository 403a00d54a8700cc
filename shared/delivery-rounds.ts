import type { Caller } from "./credentials.ts";
import { type DeliveryResult, dispatchDelivery } from "./dispatching.ts";
import { composeEventBody, composeThinBody } from "./event-bodies.ts";
import type { Context } from "./route.ts";
import { budgetMs } from "./rounds.ts";
import { type DeliveryWork, Exchanged, StoredBodies } from "./schemas/outgoing.ts";

/** Tries under way at once. First tries never wait for room that retries take. */
const room = { first: 32, retry: 16 };
// Hosted cuts a request at 2 s of CPU; a try costs about 2 ms of it, TLS included.
const mostTries = 500;
const secondMs = 1000;

type Call = Context<Caller, unknown, unknown>["call"];

/** What the rounds have in hand. */
interface Hand {
  /** Claimed, and begun as soon as there is room. */
  ready: [DeliveryWork, string][];
  running: Map<Promise<void>, DeliveryWork["lane"]>;
  results: DeliveryResult[];
  claimed: number;
  done: number;
  faults: unknown[];
}

/** Stores the bytes of events nobody has composed yet; every one of `claimed` then has its body. */
async function composed(
  claimed: DeliveryWork[],
  caller: Caller,
  call: Call,
): Promise<[DeliveryWork, string][]> {
  const bare = claimed.filter(({ body }) => body === null);
  const bodies: Record<string, { body?: string; thin_body?: string }> = {};
  for (const { event, thin } of bare) {
    const made = thin ? { thin_body: composeThinBody(event) } : { body: composeEventBody(event) };
    bodies[event.id] = { ...bodies[event.id], ...made };
  }
  const store = () => call("store_event_bodies", { p_caller: caller, p_bodies: bodies });
  // Asked twice, because all that was claimed would else wait for its lease to be over.
  const stored = bare.length === 0 ? {} : StoredBodies.parse(await store().catch(store));
  return claimed.flatMap((work) => {
    const own = stored[work.event.id];
    const body = work.body ?? (work.thin ? own?.thin_body : own?.body) ?? null;
    // Its event was removed in this moment, and the delivery with it.
    return body === null ? [] : [[work, body] as [DeliveryWork, string]];
  });
}

function begin(work: DeliveryWork, body: string, hand: Hand): void {
  const tried = dispatchDelivery(work, body, new Date(), Math.random())
    .then((result) => void hand.results.push(result))
    // The others go on; this one is claimed again when its lease is over.
    .catch((fault: unknown) => void hand.faults.push(fault))
    .finally(() => {
      hand.running.delete(tried);
      beginReady(hand);
    });
  hand.running.set(tried, work.lane);
}

function beginReady(hand: Hand): void {
  const waiting = hand.ready.splice(0);
  for (const [work, body] of waiting) {
    if (underWay(hand, work.lane) < room[work.lane]) begin(work, body, hand);
    else hand.ready.push([work, body]);
  }
}

function slept(ms: number): Promise<true> {
  return new Promise((resolve) => setTimeout(() => resolve(true), Math.min(ms, secondMs)));
}

function underWay(hand: Hand, lane: DeliveryWork["lane"]): number {
  return [...hand.running.values()].filter((each) => each === lane).length;
}

/**
 * How many more of a lane to take: what there is room for, and for the time the next exchange takes as many as `finished`
 * in that of the last. Where receivers hang nothing is taken that would have to wait for them.
 */
function wanted(hand: Hand, lane: DeliveryWork["lane"], finished: number): number {
  const ready = hand.ready.filter(([work]) => work.lane === lane).length;
  return Math.max(room[lane] + Math.min(room[lane], finished) - underWay(hand, lane) - ready, 0);
}

/** Hands in what is finished and, unless the wake-up is spent, takes more. What could not be handed in is kept. */
async function exchange(hand: Hand, spent: boolean, caller: Caller, call: Call) {
  const results = hand.results.splice(0);
  const finished = results.length;
  const exchanging = call("exchange_deliveries", {
    p_caller: caller,
    p_results: results,
    p_first: spent ? 0 : wanted(hand, "first", finished),
    p_retry: spent ? 0 : wanted(hand, "retry", finished),
  });
  const exchanged = Exchanged.parse(
    await exchanging.catch((fault: unknown) => {
      hand.results.unshift(...results);
      throw fault;
    }),
  );
  hand.done += finished;
  return exchanged;
}

/** After the database failed: waits for what is under way and tries once more to hand it in, or it would be sent again. */
async function handIn(hand: Hand, caller: Caller, call: Call): Promise<void> {
  hand.ready.length = 0;
  await Promise.all(hand.running.keys());
  if (hand.results.length > 0) await exchange(hand, true, caller, call);
}

async function rounds(hand: Hand, spent: () => boolean, caller: Caller, call: Call): Promise<void> {
  for (let waited = false;;) {
    const { deliveries, wait_ms } = await exchange(hand, spent(), caller, call);
    hand.claimed += deliveries.length;
    hand.ready.push(...await composed(deliveries, caller, call));
    beginReady(hand);
    if (hand.running.size === 0 && hand.results.length === 0) {
      if (wait_ms === null || waited) return;
      waited = await slept(wait_ms);
      continue;
    }
    waited = false;
    if (hand.results.length === 0) await Promise.race(hand.running.keys());
  }
}

/**
 * Delivers what is due, up to 32 first tries and 16 retries under way at once, each begun as soon as there is room: a
 * receiver that hangs holds its place and nobody else's. Ends when nothing is due, or the time or number of one wake-up is
 * spent, which `more` says. Every result is handed in then. Throws what a try threw, after that, and what the database did.
 */
export async function deliverInRounds(caller: Caller, call: Call): Promise<{ done: number; more: boolean }> {
  const until = performance.now() + budgetMs;
  const hand: Hand = { ready: [], running: new Map(), results: [], claimed: 0, done: 0, faults: [] };
  const spent = () => hand.claimed >= mostTries || performance.now() >= until;
  await rounds(hand, spent, caller, call).catch(async (fault: unknown) => {
    // The fault that ended the rounds is the one to tell of.
    await handIn(hand, caller, call).catch(() => undefined);
    throw fault;
  });
  const [fault] = hand.faults;
  if (fault !== undefined) throw fault;
  return { done: hand.done, more: spent() };
}
