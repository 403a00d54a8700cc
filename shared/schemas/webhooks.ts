import { z } from "zod";
import { storableText } from "../storable-text.ts";
import { eventTypes } from "./events.ts";
import { Environment, ShownTime, text } from "./fields.ts";

/** Body of POST webhooks. Where the URL may lead is for egress.ts to say. */
export const CreateWebhook = z.strictObject({
  url: z.url().max(2048).refine((given) => storableText(given) === given, {
    error: "must not contain NUL or half a character",
  }),
  events: z.array(z.enum([...eventTypes, "*"])).min(1).max(50).transform((given) => [...new Set(given)]),
  environment: Environment.optional(),
  description: text(500).nullish(),
});

export const Webhook = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string().nullable(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  environment: Environment,
  created_at: ShownTime,
});

/** Answer of POST webhooks: the secret is shown here and nowhere else. */
export const CreatedWebhook = Webhook.extend({ secret: z.string() });
