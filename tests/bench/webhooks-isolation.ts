import { setTimeout as pause } from "node:timers/promises";
import type { Sql } from "postgres";
import { type Delivering, startDelivering } from "./delivering.ts";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { quantile } from "./quantiles.ts";
import { endpointId, seedEndpoints, seedWaiting, seedWebhookKey, tidy } from "./seeded-endpoints.ts";
import { testEvent } from "./test-event.ts";

const healthy = "org_healthy";
const neighbour = "org_neighbour";
// The second of the healthy one's organization.
const deadBeside = endpointId(healthy, 2);
const deadElsewhere = endpointId(neighbour, 1);
const waiting = 10_000;
// Longer than a hanging try (15 s), so that tries end and others begin.
const spellMs = 24_000;
const betweenMs = 100;
const sweepMs = 5_000;

/** What the healthy endpoint is measured beside: an endpoint at an address, with 10,000 events that wait for it. */
interface Dead {
  name: string;
  endpoint: string;
  url: string;
}

/** What is there for all spells. */
interface Scene {
  project: Project;
  delivering: Delivering;
  key: string;
  admin: Sql;
}

/** Calls the worker every few seconds, as the scheduler does, until the signal. */
async function sweep({ delivering }: Scene, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    void delivering.deliverer("work").catch(() => undefined);
    await pause(sweepMs, undefined, { signal: over }).catch(() => undefined);
  }
}

/** Milliseconds from each of the healthy endpoint's events to its arrival, for `milliseconds`. */
async function spell(scene: Scene, milliseconds: number): Promise<number[]> {
  const { project, delivering, key } = scene;
  const over = new AbortController();
  const sweeping = sweep(scene, over.signal);
  const times: number[] = [];
  for (const until = performance.now() + milliseconds; performance.now() < until;) {
    const { committed, arrived } = await testEvent(project, delivering, key, endpointId(healthy, 1));
    times.push(arrived - committed);
    await pause(betweenMs);
  }
  over.abort();
  await sweeping;
  return times;
}

/** Has 10,000 events wait for the dead endpoint. */
async function bury({ admin }: Scene, { endpoint, url }: Dead): Promise<void> {
  await admin`update mailpipe.webhook_endpoints set url = ${url}, slots = 4 where id = ${endpoint}`;
  const [row] = await admin<{ organization_id: string }[]>`
    select organization_id from mailpipe.webhook_endpoints where id = ${endpoint}
  `;
  await seedWaiting(admin, row?.organization_id ?? "", waiting);
  await admin`delete from mailpipe.jobs where group_id <> ${endpoint}`;
  await admin`delete from mailpipe.attempts`;
  await tidy(admin);
}

/** Has nothing wait for anyone, once the tries under way are over. */
async function clear({ admin, delivering }: Scene): Promise<void> {
  await admin`delete from mailpipe.jobs`;
  await delivering.deliverer("settled");
  await admin`update mailpipe.webhook_endpoints set slots = 4, failing_since = null, resume_at = null`;
  await tidy(admin);
}

/** How often the dead endpoint was tried: never would be no measurement. */
async function countTries({ admin }: Scene, { name, endpoint }: Dead): Promise<number> {
  const [row] = await admin<{ tries: number }[]>`
    select count(*)::int as tries
    from mailpipe.attempts as attempt
    join mailpipe.deliveries as delivery on delivery.id = attempt.delivery_id
    where delivery.endpoint_id = ${endpoint}
  `;
  await admin`delete from mailpipe.attempts`;
  if (row?.tries === 0) throw new Error(`${name} was never tried.`);
  return row?.tries ?? NaN;
}

async function beside(scene: Scene, dead: Dead): Promise<Figure> {
  const before = await spell(scene, spellMs / 2);
  await bury(scene, dead);
  const times = await spell(scene, spellMs);
  const tries = await countTries(scene, dead);
  await clear(scene);
  const quiet = [...before, ...await spell(scene, spellMs / 2)];
  const [late, usual] = [quantile(times, 0.95), quantile(quiet, 0.95)];
  const [middle, usually] = [times, quiet].map((each) => quantile(each, 0.5).toFixed(1));
  return {
    name: `p95 of an endpoint beside ${dead.name} / alone`,
    value: late / usual,
    atMost: 1.5,
    measured: `${late.toFixed(1)} ms against ${usual.toFixed(1)} ms, p50 ${middle} against ${usually}; ` +
      `${times.length} and ${quiet.length} events, ${tries} tries at the other`,
  };
}

/**
 * What a dead endpoint with 10,000 waiting events does to how soon a healthy one's arrive, by the real clock: one that
 * takes connections and never answers, and one that refuses them, of the same organization and of another.
 */
export async function measureIsolation(project: Project): Promise<Figure[]> {
  const delivering = await startDelivering(project);
  const { https } = delivering.receiver;
  const owner = project.pool("postgres", 1);
  await seedEndpoints(owner, { organization: healthy, count: 2, url: `${https}/take`, maxConcurrent: 10 });
  await seedEndpoints(owner, { organization: neighbour, count: 1, url: `${https}/take`, maxConcurrent: 10 });
  const key = await seedWebhookKey(owner, healthy);
  const scene = { project, delivering, key, admin: project.pool("supabase_admin", 1) };
  // What is there besides is not part of the scene.
  await clear(scene);
  await spell(scene, 3_000);
  // Nothing listens at the port of a discarded protocol (RFC 863).
  const urls = { hangs: `${https}/hang`, refuses: "https://127.0.0.1:9/" };
  const figures: Figure[] = [];
  for (const [manner, url] of Object.entries(urls)) {
    figures.push(await beside(scene, { name: `one that ${manner}`, endpoint: deadBeside, url }));
    figures.push(await beside(scene, { name: `another's that ${manner}`, endpoint: deadElsewhere, url }));
  }
  return figures;
}
