import { z } from "zod";
import { ShownFences, ShownLimits } from "./fences.ts";
import { Environment, Name, ShownTime } from "./fields.ts";
import { Role } from "./members.ts";

/** Body of POST organizations. */
export const CreateOrganization = z.strictObject({ name: Name });

/** Days something is kept, at least `least`; null keeps it for good. */
function days(least: number) {
  return z.number().int().min(least).max(3650).nullable().optional();
}

/** Body of PATCH organizations/{id}. Events can be replayed for 30 days, so they are kept as long. */
export const ChangeOrganization = z.strictObject({
  name: Name.optional(),
  sending_paused: z.boolean().optional(),
  messages_retention_days: days(1),
  raw_mail_retention_days: days(1),
  events_retention_days: days(30),
  attempts_retention_days: days(1),
  audit_retention_days: days(90),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  error: "nothing to change",
});

export const Organization = z.object({
  id: z.string(),
  name: z.string(),
  role: Role,
  sending_paused: z.boolean(),
  messages_retention_days: z.number().nullable(),
  raw_mail_retention_days: z.number().nullable(),
  events_retention_days: z.number().nullable(),
  attempts_retention_days: z.number().nullable(),
  audit_retention_days: z.number().nullable(),
  created_at: ShownTime,
});

/** Answer of GET whoami. */
export const Identity = z.object({
  kind: z.enum(["key", "session"]),
  id: z.string(),
  organization_id: z.string(),
  environment: Environment,
  role: z.string().nullable(),
  scopes: z.array(z.string()),
  fences: ShownFences,
  limits: ShownLimits,
  expires_at: ShownTime.nullable(),
});
