import { type Companion, startCompanion } from "./companion.ts";
import type { Deliverer } from "./deliverer.ts";
import type { Project } from "./project.ts";
import type { Sink } from "./sink.ts";

/** Webhook delivery with each side in a process of its own. */
export interface Delivering {
  deliverer: Companion<Deliverer>;
  sink: Companion<Sink>;
  /** Where the sink listens: an origin. */
  receiver: string;
}

/** Starts the functions that deliver and a receiver, and has the project's gateway serve those functions. */
export async function startDelivering({ edge, endings }: Project): Promise<Delivering> {
  // Inherited by the functions: the receiver is on this machine, in plain text.
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  const sink = startCompanion<Sink>("sink.ts", endings);
  const deliverer = startCompanion<Deliverer>("deliverer.ts", endings);
  edge.serveFunctions(await deliverer("port"));
  return { deliverer, sink, receiver: `http://127.0.0.1:${await sink("port")}` };
}
