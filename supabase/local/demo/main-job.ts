import { randomUUID } from "node:crypto";
import type { Hosts } from "../outgoing.ts";
import { ownConnections } from "../own-connections.ts";
import type { StackFile } from "../stack-file.ts";
import { call, type Credential, expectCall } from "./calls.ts";
import { connect, type Connection } from "./connect.ts";
import type { Demo } from "./demo.ts";
import { guarantees } from "./guarantees.ts";
import { checkOutgoing, stackOutgoing } from "./outgoing.ts";
import { receive } from "./receive.ts";
import { startReceiver } from "./receiver.ts";
import { send } from "./send.ts";
import { step, type Tell } from "./step.ts";

/**
 * Does the main job on a running stack, over HTTP alone, one told line a step: key, endpoint, mail, event, webhook,
 * answer, thread, files, repeat, sandbox, revocation, and where all of it connected to. `before` is what the stack had
 * connected to and nobody asks about. Rejects with what the first failed step expected.
 */
export async function mainJob(stack: StackFile, before: Hosts, tell: Tell): Promise<void> {
  const receiver = await startReceiver();
  const demo: Demo = { stack, receiver, tell, friend: `friend-${randomUUID().slice(0, 8)}@example.net` };
  try {
    const connection = await connect(demo);
    try {
      const sent = await send(demo, connection);
      await receive(demo, connection, sent);
      await guarantees(demo, connection, sent);
      await calledNobody(demo, connection.owner, before);
    } finally {
      await cleanUp(demo, connection);
    }
  } finally {
    await receiver.close();
  }
}

async function calledNobody(
  { stack, tell }: Demo,
  owner: Credential,
  before: Hosts,
): Promise<void> {
  await step(tell, "See where all of it connected to", async (note) => {
    const configured = await endpointHosts(stack, owner);
    const stacks = checkOutgoing(await stackOutgoing(stack.api_url), before, configured);
    const ours = checkOutgoing(ownConnections, new Map(), []);
    note(`only ${[...new Set([...stacks, ...ours])].sort().join(", ")}`);
  });
}

/** A developer's own endpoints on the running stack may hear of the demo's mail; she configured them. */
async function endpointHosts(stack: StackFile, as: Credential): Promise<string[]> {
  const { body } = await expectCall(stack, 200, { method: "GET", path: "webhooks?limit=100", as });
  return (body["data"] as { url: string }[]).map(({ url }) => new URL(url).hostname);
}

/** Leaves a developer's stack as it was; what a failed step kept from being made is no second failure. */
async function cleanUp({ stack }: Demo, { owner, endpoint, key }: Connection): Promise<void> {
  await Promise.allSettled([
    call(stack, { method: "DELETE", path: `webhooks/${endpoint.id}`, as: owner }),
    call(stack, { method: "POST", path: "revoke-key", as: owner, body: { id: key.id } }),
  ]);
}
