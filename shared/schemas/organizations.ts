import { z } from "zod";
import { ShownFences, ShownLimits } from "./fences.ts";
import { Environment, Name, ShownTime } from "./fields.ts";
import { Role } from "./members.ts";

/** Body of POST organizations. */
export const CreateOrganization = z.strictObject({ name: Name });

/** Body of PATCH organizations/{id}. Retention of the audit log is in days, 90 to 3650, or null for good. */
export const ChangeOrganization = z.strictObject({
  name: Name.optional(),
  sending_paused: z.boolean().optional(),
  audit_retention_days: z.number().int().min(90).max(3650).nullable().optional(),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  error: "nothing to change",
});

export const Organization = z.object({
  id: z.string(),
  name: z.string(),
  role: Role,
  sending_paused: z.boolean(),
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
