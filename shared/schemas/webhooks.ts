import { z } from "zod";
import { storableText } from "../storable-text.ts";
import { eventTypes } from "./events.ts";
import { Environment, ShownTime, text } from "./fields.ts";
import { WebhookHeaders } from "./webhook-headers.ts";

/** Kept as a browser would write it, so that what is shown is what is called. */
const Url = z.url().max(2048).refine((given) => storableText(given) === given && !/[\s\p{Cc}]/u.test(given), {
  error: "must not contain white space, control characters or half a character",
}).transform((given) => new URL(given).href).pipe(z.string().max(2048));
const Events = z.array(z.enum([...eventTypes, "*"])).min(1).max(50).transform((given) => [...new Set(given)]);
const MaxConcurrent = z.number().int().min(1).max(50);
const MaxPerSecond = z.number().int().min(1).max(1000);

/** Body of POST webhooks. Where the URL may lead is for egress.ts to say. */
export const CreateWebhook = z.strictObject({
  url: Url,
  events: Events,
  environment: Environment.optional(),
  description: text(500).nullish(),
  headers: WebhookHeaders.nullish(),
  thin: z.boolean().default(false),
  max_concurrent: MaxConcurrent.default(10),
  max_per_second: MaxPerSecond.nullish(),
});

/** Body of PATCH webhooks/<id>: what it names changes, `headers` as a whole. */
export const ChangeWebhook = z.strictObject({
  url: Url.optional(),
  events: Events.optional(),
  description: text(500).nullish(),
  headers: WebhookHeaders.nullish(),
  thin: z.boolean().optional(),
  enabled: z.boolean().optional(),
  max_concurrent: MaxConcurrent.optional(),
  max_per_second: MaxPerSecond.nullish(),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  error: "nothing to change",
});

export const Webhook = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()),
  thin: z.boolean(),
  header_names: z.array(z.string()),
  max_concurrent: z.number(),
  max_per_second: z.number().nullable(),
  enabled: z.boolean(),
  disabled_reason: z.enum(["by_hand", "gone", "asked", "failing", "redacted", "closed"]).nullable(),
  disabled_at: ShownTime.nullable(),
  failing_since: ShownTime.nullable(),
  previous_secret_until: ShownTime.nullable(),
  environment: Environment,
  created_at: ShownTime,
});

/** Answer of POST webhooks: the secret is shown here and nowhere else. */
export const CreatedWebhook = Webhook.extend({ secret: z.string() });

/** Body of POST webhooks/<id>/rotate-secret: 0 to 30 days, a day unless said. */
export const RotateWebhookSecret = z.strictObject({
  overlap_seconds: z.number().int().min(0).max(30 * 86_400).default(86_400),
});

/** Answer of POST webhooks/<id>/test. */
export const TestedWebhook = z.object({ event_id: z.string(), delivery_id: z.string() });
