import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { median } from "./quantiles.ts";
import { seedEndpoints, seedWaiting, tidy } from "./seeded-endpoints.ts";

const organizations = 10;
const rounds = 40;
// As deliverInRounds asks when it has nothing under way.
const claim = `select mailpipe_api.exchange_deliveries('{"project_secret": true}', '[]', 32, 16) as claimed`;

/** What waits in a database: so many events for each endpoint, and so many endpoints of each of ten organizations. */
interface Backlog {
  endpoints: number;
  events: number;
}

/** A database with a backlog; gives the connection that claims. */
async function prepare(project: Project, name: string, { endpoints, events }: Backlog): Promise<Sql> {
  const pool = await project.another(name);
  const [owner, admin] = [pool("postgres", 1), pool("supabase_admin", 1)];
  for (let number = 0; number < organizations; number++) {
    const organization = `org_claim${number}`;
    const url = "https://receiver.example/take";
    await seedEndpoints(owner, { organization, count: endpoints, url, maxConcurrent: 10 });
    await seedWaiting(admin, organization, events);
  }
  await tidy(admin);
  return admin;
}

/** Milliseconds of a claim of 32. It is rolled back: the next claim meets the same backlog. */
async function timed(admin: Sql): Promise<number> {
  let took = 0;
  const undone = new Error("undone");
  await admin.begin(async (transaction) => {
    const started = performance.now();
    const [row] = await transaction.unsafe<{ claimed: { deliveries: unknown[] } }[]>(claim, [], {
      prepare: true,
    });
    took = performance.now() - started;
    const count = row?.claimed.deliveries.length;
    if (count !== 32) throw new Error(`${count} deliveries were claimed and not 32.`);
    throw undone;
  }).catch((error: unknown) => {
    if (error !== undone) throw error;
  });
  // What was rolled back left dead rows, which are no cost of the next.
  await admin`vacuum mailpipe.jobs`;
  return took;
}

/** How a claim's time grows with what waits, and, to inform, with the endpoints it waits for. */
export async function measureClaiming(project: Project): Promise<Figure[]> {
  const few = await prepare(project, "few", { endpoints: 10, events: 10 });
  const many = await prepare(project, "many", { endpoints: 10, events: 10_000 });
  const wide = await prepare(project, "wide", { endpoints: 100, events: 10 });
  const databases = [few, many, wide];
  const times: number[][] = databases.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const turn of databases.keys()) {
      const index = (round + turn) % databases.length;
      const took = await timed(databases[index] as Sql);
      // The first only warms.
      if (round > 0) times[index]?.push(took);
    }
  }
  const [one = NaN, other = NaN, third = NaN] = times.map(median);
  const against = (took: number) =>
    `${took.toFixed(1)} ms against ${one.toFixed(1)} ms, medians of ${rounds}`;
  return [
    {
      name: "claiming 32 of 1,000,000 deliveries / of 1,000",
      value: other / one,
      atMost: 1.5,
      measured: `${against(other)}; 100 endpoints`,
    },
    {
      name: "claiming 32 where 1,000 endpoints wait / 100",
      value: third / one,
      measured: `${against(third)}; 10 deliveries each`,
    },
  ];
}
