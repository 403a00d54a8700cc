import { z } from "zod";
import { scopes } from "../access.ts";
import { Environment, id, Name, ShownTime, Time } from "./fields.ts";

/** `mailbox:read` is how Mailpipe's agent documentation spells `mailboxes:read`. */
const ScopeName = z.preprocess(
  (given) => typeof given === "string" ? given.replace(/^mailbox:/, "mailboxes:") : given,
  z.enum(scopes, { error: `must be one of ${scopes.join(", ")}` }),
);

/** Body of POST issue-key. */
export const IssueKey = z.strictObject({
  name: Name,
  environment: Environment,
  scopes: z.array(ScopeName).min(1).max(32).transform((given) => [...new Set(given)]),
  expires_at: Time.optional(),
});

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  environment: Environment,
  scopes: z.array(z.string()),
  last_four: z.string(),
  issued_by: z.string().nullable(),
  expires_at: ShownTime.nullable(),
  created_at: ShownTime,
});

/** Answer of POST issue-key: the only place the plain key ever stands. */
export const IssuedKey = Key.extend({ key: z.string() });

export const ListedKey = Key.extend({ revoked_at: ShownTime.nullable(), rotation_due: z.boolean() });

/** Body of POST revoke-key. `descendants` (default true) takes along the keys this one issued. */
export const RevokeKey = z.strictObject({ id: id("key"), descendants: z.boolean().optional() });

export const RevokedKey = z.object({ id: z.string(), revoked_at: ShownTime });
