import { z } from "zod";
import { ShownTime } from "./fields.ts";

const Queue = z.record(
  z.string(),
  z.object({ due: z.number(), waiting: z.number(), oldest_due_at: ShownTime.nullable() }),
);

/** Answer of GET health; the figures only for a credential that may see them. */
export const Health = z.object({
  status: z.literal("ok"),
  schema_version: z.string(),
  queue: Queue.optional(),
  providers: z.array(z.record(z.string(), z.unknown())).optional(),
});
