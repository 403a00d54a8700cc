import type { Delivering } from "./delivering.ts";
import type { Project } from "./project.ts";

/** When a test event was committed and when it arrived, on the monotonic clock. */
export interface Traced {
  committed: number;
  arrived: number;
}

/**
 * Has the webhooks function send an endpoint a test event, as a customer would, which wakes a worker, and waits until it
 * arrived. It counts as committed when the answer to the call that emitted it was ready. One at a time.
 */
export async function testEvent(
  { edge }: Project,
  { sink }: Delivering,
  key: string,
  endpoint: string,
): Promise<Traced> {
  const answer = await fetch(`${process.env["SUPABASE_URL"]}/functions/v1/webhooks/${endpoint}/test`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
  });
  const body = await answer.text();
  if (answer.status !== 202) throw new Error(`webhooks answered ${answer.status} ${body}`);
  const committed = edge.answered.get("/rest/v1/rpc/test_webhook") ?? NaN;
  const { event_id } = JSON.parse(body) as { event_id: string };
  return { committed, arrived: await sink("arrival", event_id) };
}
