import { z } from "zod";

/** Answer of a worker: how much it did. */
export const Done = z.object({ done: z.number() });

/** Body of POST deliver-mail: empty, or one message somebody waits for. */
export const DeliverMail = z.strictObject({ message_id: z.string().regex(/^msg_[0-9A-Z]{26}$/).optional() });

/** Body of the other workers: nothing. */
export const Nothing = z.strictObject({});

/** Answer of run-maintenance: how many of each it removed, flushed, told of or sealed. */
export const Maintained = z.object({
  idempotency_records: z.number(),
  orphan_objects: z.number(),
  used_keys: z.number(),
  rate_windows: z.number(),
  keys_due: z.number(),
  sealed_ranges: z.number(),
  dropped_ranges: z.number(),
  messages: z.number(),
  raw_mail: z.number(),
  events: z.number(),
  attempts: z.number(),
  copies: z.number(),
  removed_deliveries: z.number(),
});
