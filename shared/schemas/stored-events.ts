import { z } from "zod";
import { Environment, id, PageQuery, ShownTime, text, Time } from "./fields.ts";

/** Query of GET events. Filters are joined by "and". */
export const EventFilters = PageQuery.extend({
  type: text(64).min(1).optional(),
  message_id: id("msg").optional(),
  since: Time.optional(),
  until: Time.optional(),
});

/** An event in full, with what became of it at each endpoint. */
export const StoredEvent = z.object({
  id: z.string(),
  type: z.string(),
  environment: Environment,
  message_id: z.string().nullable(),
  payload_version: z.number(),
  created_at: ShownTime,
  data: z.record(z.string(), z.unknown()),
  deliveries: z.array(z.object({
    id: z.string(),
    endpoint_id: z.string(),
    state: z.enum(["pending", "succeeded", "failed"]),
    failure: z.string().nullable(),
    attempt_count: z.number(),
  })),
});
