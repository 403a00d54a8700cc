import { hashKey } from "../../shared/keys.ts";
import { type Delivering, startDelivering } from "./delivering.ts";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { median } from "./quantiles.ts";
import { endpointId, seedEndpoints, seedWebhookKey } from "./seeded-endpoints.ts";
import { testEvent } from "./test-event.ts";

const organization = "org_waking";
const warmUps = 20;
const samples = 200;

/** Milliseconds of both, one after the other, so that what slows the machine slows both. */
async function interleaved(
  project: Project,
  delivering: Delivering,
  key: string,
): Promise<Record<"waking" | "calling", number>> {
  const waking: number[] = [];
  const calling: number[] = [];
  for (let turn = 0; turn < warmUps + samples; turn++) {
    const { committed, arrived } = await testEvent(project, delivering, key, endpointId(organization, 1));
    // The worker of this one is over before the next.
    await delivering.deliverer("settled");
    const took = await delivering.deliverer("list", hashKey(key));
    if (turn < warmUps) continue;
    waking.push(arrived - committed);
    calling.push(took);
  }
  return { waking: median(waking), calling: median(calling) };
}

/**
 * The time from an event's commit to its arrival, its worker woken by the request that emitted it, against one call of a
 * function to the database. Both in plain text, as that call goes; to inform over TLS too, whose handshake is no part of it.
 */
export async function measureWaking(project: Project): Promise<Figure[]> {
  const delivering = await startDelivering(project);
  const owner = project.pool("postgres", 1);
  const figures: Figure[] = [];
  await seedEndpoints(owner, { organization, count: 1, url: delivering.receiver.https, maxConcurrent: 10 });
  const key = await seedWebhookKey(owner, organization);
  for (const [scheme, origin] of Object.entries(delivering.receiver)) {
    await owner`update mailpipe.webhook_endpoints set url = ${origin} where organization_id = ${organization}`;
    const { waking, calling } = await interleaved(project, delivering, key);
    figures.push({
      name: `an event's commit to its request over ${scheme} / one call`,
      value: waking / calling,
      ...(scheme === "http" ? { atMost: 5 } : {}),
      measured: `${waking.toFixed(1)} ms against ${calling.toFixed(1)} ms, medians of ${samples}`,
    });
  }
  return figures;
}
