import { z } from "zod";
import { Environment, Name, ShownTime } from "./fields.ts";

/** Body of POST organizations. */
export const CreateOrganization = z.strictObject({ name: Name });

export const Organization = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(["owner", "admin", "member", "viewer"]),
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
  expires_at: ShownTime.nullable(),
});
