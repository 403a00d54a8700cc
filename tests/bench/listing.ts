import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { large, seeded, seedMessages } from "./seeded-messages.ts";
import { compare, inFlight, interleave, warm } from "./throughput.ts";

const rounds = 27;
const calls = 1_000;

const columns = [
  "id",
  "direction",
  "status",
  "thread_id",
  "from_email",
  "subject",
  "snippet",
  "is_read",
  "created_at",
];

type Row = { id: string };

/** As a tenant's function asks whose WHERE clause was forgotten: the policies alone say whose rows. */
const underPolicies = (sql: Sql) =>
  sql<Row[]>`select ${sql(columns)} from mailpipe.messages order by created_at desc, id desc limit 50`;

/** As one asks who bypasses the policies. */
const withFilter = (sql: Sql) =>
  sql<Row[]>`
    select ${sql(columns)}
    from mailpipe.messages
    where organization_id = ${large} and environment = 'live'
    order by created_at desc, id desc
    limit 50
  `;

/** Neither plans again for each call, so that what is measured is the policies. */
const planned = { plan_cache_mode: "force_generic_plan" };

/** What `authenticate` pins, for the whole connection. */
const pinned = {
  "mailpipe.organization_id": large,
  "mailpipe.environment": "live",
  "mailpipe.mailboxes": "",
};

async function same(tenant: Sql, owner: Sql): Promise<void> {
  const [mine, theirs] = [await underPolicies(tenant), await withFilter(owner)];
  const ids = (rows: Row[]) => rows.map(({ id }) => id).join();
  if (mine.length !== 50 || ids(mine) !== ids(theirs)) {
    throw new Error("The policies and the filter do not list the same 50 messages.");
  }
}

async function plan(sql: Sql): Promise<string> {
  const lines = await sql<{ "QUERY PLAN": string }[]>`
    explain (analyze, costs off, timing off, summary off) ${underPolicies(sql)}
  `;
  const shown = lines.map((line) => line["QUERY PLAN"]).join("\n");
  // Else a page takes as long as all the organization's mail, and the rounds hours.
  if (!shown.includes("Index Scan using messages_newest")) {
    throw new Error(`A page is not read in order:\n${shown}`);
  }
  return shown;
}

/** Listing the newest 50 of an organization's 360,000 live messages under the policies, against the same without them. */
export async function measureListing(project: Project): Promise<Figure> {
  await seedMessages(project.pool("supabase_admin", 1));
  const tenant = project.pool("mailpipe_tenant", inFlight, { ...planned, ...pinned });
  const owner = project.pool("postgres", inFlight, planned);
  await same(tenant, owner);
  const shown = await plan(tenant);
  const contenders = {
    policies: { calls, call: () => underPolicies(tenant) },
    filter: { calls, call: () => withFilter(owner) },
  };
  await warm(contenders);
  const { policies, filter } = await interleave(rounds, contenders);
  return {
    name: `listing 50 of ${seeded.messages} messages, policies / filter`,
    // Rates the other way round are times this way round.
    ...compare(filter, policies),
    atMost: 1.15,
    detail: `How 50 messages are listed under the policies:\n${shown}`,
  };
}
