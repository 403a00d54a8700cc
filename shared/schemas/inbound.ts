import { z } from "zod";

/** Answer of POST receive-webhook: the same id for every retry of the same event. */
export const ReceivedRequest = z.object({ id: z.string() });

/** What claim_inbound hands to a worker. */
export const InboundWork = z.array(z.object({
  job_id: z.string(),
  fence: z.number(),
  attempt: z.number(),
  organization_id: z.string(),
  environment: z.string(),
  kind: z.string(),
  headers: z.record(z.string(), z.string()),
  storage_key: z.string(),
  // Null once the provider was removed: what it had posted before is still processed where that needs no secret.
  credentials: z.record(z.string(), z.unknown()).nullable(),
  inbound_secret: z.string().nullable(),
}));
export type InboundWork = z.infer<typeof InboundWork>[number];
