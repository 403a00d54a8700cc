import { measureDatabaseCalls } from "./database-calls.ts";
import { measureExport } from "./exporting.ts";
import { type Figure, keeps, table } from "./figure.ts";
import { measureListing } from "./listing.ts";
import { measureOneCall } from "./one-call.ts";
import { type Endings, type Project, startProject } from "./project.ts";
import { measureRequests } from "./requests.ts";
import { measureRotation } from "./rotation.ts";
import { measureSameness } from "./sameness.ts";
import { measureVerification } from "./verification.ts";
import { measureClaiming } from "./webhooks-claiming.ts";
import { measureDispatching } from "./webhooks-dispatching.ts";
import { measureIsolation } from "./webhooks-isolation.ts";
import { measureWaking } from "./webhooks-waking.ts";
import { measureLog } from "./write-ahead-log.ts";

const endings: Endings = [];
const starting = startProject(endings);
let ending: Promise<void> | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // Once: a second signal does not wait.
  process.once(signal, () => void end().finally(() => process.exit(130)));
}

/** Ends what was started, once, however often it is asked to. */
function end(): Promise<void> {
  ending ??= (async () => {
    await starting.catch(() => undefined);
    for (const each of endings.splice(0).reverse()) await each();
  })();
  return ending;
}

/** Runs what asks functions without the line that each writes for every request. */
async function quietly<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  const { log } = console;
  console.log = () => {};
  return await work().finally(() => void (console.log = log));
}

/** What is measured, in this order, by the name of the file that does. */
const parts: Record<string, (project: Project) => Promise<Figure | Figure[]>> = {
  "verification": measureVerification,
  // Before rows are inserted that autovacuum would come for in the middle of it.
  "write-ahead-log": measureLog,
  "one-call": measureOneCall,
  "database-calls": (project) => quietly(() => measureDatabaseCalls(project)),
  "sameness": (project) => quietly(() => measureSameness(project)),
  "requests": (project) => quietly(() => measureRequests(project)),
  "webhooks-dispatching": measureDispatching,
  "webhooks-waking": measureWaking,
  "webhooks-isolation": measureIsolation,
  "webhooks-claiming": measureClaiming,
  "exporting": measureExport,
  // Last: a million rows are written before it.
  "rotation": measureRotation,
  // Last, as it fills the disk's and the server's memory with a million rows.
  "listing": measureListing,
};

/** The parts whose names begin with one of those asked for; all of them when none is. Throws for a name of no part. */
function chosen(asked: string[]): string[] {
  const names = Object.keys(parts);
  const unknown = asked.find((start) => !names.some((name) => name.startsWith(start)));
  if (unknown !== undefined) throw new Error(`No part is called ${unknown}: there are ${names.join(", ")}.`);
  return names.filter((name) => asked.length === 0 || asked.some((start) => name.startsWith(start)));
}

async function measure(project: Project): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of chosen(process.argv.slice(2))) {
    figures.push(...[await parts[name]?.(project) ?? []].flat());
  }
  return figures;
}

/**
 * `npm run bench [-- <part> …]`: every figure beside its bound, each a ratio or a count within this run. 1 when one is
 * not met.
 */
async function bench(): Promise<0 | 1> {
  const started = performance.now();
  const figures = await measure(await starting);
  console.log(table(figures));
  const missed = figures.filter((figure) => !keeps(figure)).length;
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${missed === 0 ? "Every bound is met" : `${missed} not met`}, in ${seconds} s.`);
  return missed === 0 ? 0 : 1;
}

const code = await bench().catch((error: unknown) => {
  console.error(error);
  return 1;
});
await end();
// A connection kept alive to the stand-in would hold this process for seconds.
process.exit(code);
