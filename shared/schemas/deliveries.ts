import { z } from "zod";
import { Environment, id, PageQuery, ShownTime, text, Time } from "./fields.ts";

const states = ["pending", "succeeded", "failed"] as const;

/** Query of GET deliveries. Filters are joined by "and". `state=failed` lists what no endpoint took. */
export const DeliveryFilters = PageQuery.extend({
  endpoint_id: id("whk").optional(),
  event_id: id("evt").optional(),
  event_type: text(64).min(1).optional(),
  state: z.enum(states).optional(),
  failure: z.string().regex(/^[a-z_]{2,32}$/, "must be a class of failures like http_error").optional(),
  since: Time.optional(),
  until: Time.optional(),
});

/** One try. `failure` says what went wrong; `detail` is the beginning of the answer, or a sentence where there was none. */
const Attempt = z.object({
  started_at: ShownTime,
  duration_ms: z.number().nullable(),
  status_code: z.number().nullable(),
  outcome: z.string(),
  failure: z.string().nullable(),
  detail: z.string().nullable(),
});

export const Delivery = z.object({
  id: z.string(),
  event_id: z.string(),
  event_type: z.string(),
  endpoint_id: z.string(),
  environment: Environment,
  state: z.enum(states),
  failure: z.string().nullable(),
  attempt_count: z.number(),
  attempts: z.array(Attempt),
  next_attempt_at: ShownTime.nullable(),
  finished_at: ShownTime.nullable(),
  created_at: ShownTime,
});

/** Answer of GET deliveries/<id>: with the bytes as they are sent, which signatures are over. */
export const DeliveryWithBody = Delivery.extend({ body: z.string().nullable() });

/** Body of POST replay-deliveries: a delivery, or an endpoint and since when what it was given up counts. */
export const ReplayDeliveries = z.strictObject({
  delivery_id: id("dlv").optional(),
  endpoint_id: id("whk").optional(),
  since: Time.optional(),
}).superRefine(({ delivery_id, endpoint_id, since }, context) => {
  const wrong = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (delivery_id === undefined) {
    if (endpoint_id === undefined) wrong("endpoint_id", "must be given with since, or a delivery_id alone");
    if (since === undefined) wrong("since", "must be given with endpoint_id, or a delivery_id alone");
    return;
  }
  if (endpoint_id !== undefined) wrong("endpoint_id", "does not go with delivery_id");
  if (since !== undefined) wrong("since", "does not go with delivery_id");
});

/** Answer of POST replay-deliveries. */
export const Replaying = z.object({ job_id: z.string() });

/** Query of GET webhook-stats: since a day ago unless said. */
export const StatsQuery = z.strictObject({ endpoint_id: id("whk").optional(), since: Time.optional() });

/** Answer of GET webhook-stats. Rates are of an endpoint's newest 1,000 deliveries since then; null without any try. */
export const WebhookStats = z.object({
  since: ShownTime,
  data: z.array(z.object({
    endpoint_id: z.string(),
    url: z.string(),
    enabled: z.boolean(),
    failing_since: ShownTime.nullable(),
    attempts: z.number(),
    succeeded: z.number(),
    success_rate: z.number().nullable(),
    p50_ms: z.number().nullable(),
    p95_ms: z.number().nullable(),
    backlog: z.number(),
    oldest_waiting_at: ShownTime.nullable(),
  })),
});
