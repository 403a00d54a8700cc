import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureCertificates } from "../../supabase/local/certificates.ts";
import { type Companion, startCompanion } from "./companion.ts";
import type { Deliverer } from "./deliverer.ts";
import type { Project } from "./project.ts";
import type { Sink } from "./sink.ts";

/** Webhook delivery with each side in a process of its own. */
export interface Delivering {
  deliverer: Companion<Deliverer>;
  sink: Companion<Sink>;
  /** Where the sink listens, as origins. */
  receiver: { https: string; http: string };
}

/** Starts the functions that deliver and a receiver, and has the project's gateway serve those functions. */
export async function startDelivering({ edge, endings }: Project): Promise<Delivering> {
  const folder = await mkdtemp(join(tmpdir(), "mailpipe-bench-certificates-"));
  endings.push(() => rmSync(folder, { recursive: true, force: true }));
  const { caFile } = await ensureCertificates(folder, new Date());
  const environment = {
    BENCH_CERTIFICATE: join(folder, "leaf.pem"),
    NODE_EXTRA_CA_CERTS: caFile,
    MAILPIPE_EGRESS_ALLOW: "127.0.0.0/8",
  };
  const sink = startCompanion<Sink>("sink.ts", environment, endings);
  const deliverer = startCompanion<Deliverer>("deliverer.ts", environment, endings);
  edge.serveFunctions(await deliverer("port"));
  return { deliverer, sink, receiver: await sink("origins") };
}
