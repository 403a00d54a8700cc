import type { Sql } from "postgres";
import { newWebhookSecret } from "../../shared/signature.ts";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { seedEndpoints, seedWaiting, tidy } from "./seeded-endpoints.ts";
import { compare } from "./throughput.ts";
import { type Delivering, startDelivering } from "./delivering.ts";

// With an endpoint each, so that each delivery has an event of its own to be composed.
const organizations = ["org_one", "org_two", "org_three", "org_four"];
const deliveries = 2_000;
const lanes = 32;
const rounds = 7;

/** What a receiver gets of an event that says as much as the seeded ones. */
const body = JSON.stringify({
  id: "evt_01K00000000000000000000000",
  type: "email.delivered",
  created_at: "2026-01-01T00:00:00.000Z",
  data: {
    message_id: "msg_00000000000000000000000001",
    from: "ada@sender.example",
    to: ["in1@receiver.example"],
    subject: "Subject of message 1",
    tags: ["receipt"],
    metadata: { order: 1 },
  },
});

/** Deliveries a second, from the wake-up until every result is handed in; what a wake-up leaves, it wakes the next for. */
async function drain({ deliverer, sink }: Delivering): Promise<number> {
  await sink("count");
  const started = performance.now();
  await deliverer("work");
  await deliverer("settled");
  const took = performance.now() - started;
  const arrived = await sink("count");
  if (arrived !== deliveries) throw new Error(`${arrived} of ${deliveries} events arrived.`);
  return deliveries / took * 1000;
}

/** Rounds of both over one kind of connection, each with the other one first; a second each. */
async function interleaved(
  delivering: Delivering,
  admin: Sql,
  origin: string,
): Promise<Record<"delivered" | "bare", number[]>> {
  const bare = { url: `${origin}/take`, body, secret: newWebhookSecret(), calls: deliveries, lanes };
  await admin`update mailpipe.webhook_endpoints set url = ${bare.url} where organization_id = any (${organizations})`;
  const rates = { delivered: [] as number[], bare: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    for (const each of organizations) await seedWaiting(admin, each, deliveries / organizations.length);
    await tidy(admin);
    const runs = [
      async () => rates.delivered.push(await drain(delivering)),
      async () => rates.bare.push(await delivering.deliverer("bare", bare)),
    ];
    for (const run of round % 2 === 0 ? runs : runs.reverse()) await run();
    // The first only warms.
    if (round === 0) Object.values(rates).forEach((each) => each.length = 0);
  }
  return rates;
}

/**
 * Deliveries a second to a receiver on this machine, against bare signed requests of the same client with as many under
 * way: over TLS as an endpoint must be reached, and to inform in plain text. The receiver and PostgREST's stand-in are
 * processes of their own, as hosted.
 */
export async function measureDispatching(project: Project): Promise<Figure[]> {
  const delivering = await startDelivering(project);
  const admin = project.pool("supabase_admin", 1);
  const owner = project.pool("postgres", 1);
  for (const organization of organizations) {
    await seedEndpoints(owner, { organization, count: 1, url: delivering.receiver.https, maxConcurrent: 50 });
  }
  const figures: Figure[] = [];
  for (const [scheme, origin] of Object.entries(delivering.receiver)) {
    const { delivered, bare } = await interleaved(delivering, admin, origin);
    figures.push({
      name: `deliveries over ${scheme}, ${lanes} at once / bare signed requests`,
      ...compare(delivered, bare),
      ...(scheme === "https" ? { atLeast: 0.5 } : {}),
    });
  }
  return figures;
}
