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

async function measure(project: Project): Promise<Figure[]> {
  return [
    ...await measureVerification(project),
    // Before rows are inserted that autovacuum would come for in the middle of it.
    await measureLog(project),
    ...await measureOneCall(project),
    ...await quietly(() => measureDatabaseCalls(project)),
    await quietly(() => measureSameness(project)),
    await quietly(() => measureRequests(project)),
    ...await measureExport(project),
    // Last: a million rows are written before it.
    ...await measureRotation(project),
    // Last, as it fills the disk's and the server's memory with a million rows.
    await measureListing(project),
  ];
}

/** `npm run bench`: every figure beside its bound, each a ratio or a count within this run. 1 when one is not met. */
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
