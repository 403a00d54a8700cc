import { z } from "zod";
import { scopes } from "../access.ts";
import { withoutKeys } from "../keys.ts";
import { AddressRange, Fences, Limits, ShownFences, ShownLimits } from "./fences.ts";
import { Environment, id, Name, ShownTime, text, Time } from "./fields.ts";

/** `mailbox:read` is how Mailpipe's agent documentation spells `mailboxes:read`. */
const ScopeName = z.preprocess(
  (given) => typeof given === "string" ? given.replace(/^mailbox:/, "mailboxes:") : given,
  z.enum(scopes, { error: `must be one of ${scopes.join(", ")}` }),
);

/** Body of POST issue-key. A honey key is issued to be planted: whoever uses it gave itself away. */
export const IssueKey = z.strictObject({
  name: Name,
  environment: Environment,
  scopes: z.array(ScopeName).min(1).max(32).transform((given) => [...new Set(given)]),
  expires_at: Time.optional(),
  fences: Fences.optional(),
  limits: Limits.optional(),
  honey: z.boolean().optional(),
});

export const Key = z.object({
  id: z.string(),
  name: z.string(),
  environment: Environment,
  scopes: z.array(z.string()),
  fences: ShownFences,
  limits: ShownLimits,
  honey: z.boolean(),
  last_four: z.string(),
  issued_by: z.string().nullable(),
  expires_at: ShownTime.nullable(),
  created_at: ShownTime,
});

/** Answer of POST issue-key: the only place the plain key ever stands. */
export const IssuedKey = Key.extend({ key: z.string() });

/** A key in a list. `last_used_range` is the network it was last used from, /24 or /48. */
export const ListedKey = Key.extend({
  revoked_at: ShownTime.nullable(),
  exposed_at: ShownTime.nullable(),
  replaces: z.string().nullable(),
  replaced_by: z.string().nullable(),
  rotation_due: z.boolean(),
  last_used_at: ShownTime.nullable(),
  last_used_range: z.string().nullable(),
  use_count: z.number(),
  refused_count: z.number(),
});

const longestOverlap = 30 * 24 * 60 * 60;

/** Body of POST rotate-key. Both keys live for the overlap: 0 s to 30 days, a day unless said. */
export const RotateKey = z.strictObject({
  id: id("key"),
  overlap_seconds: z.number().int().min(0).max(longestOverlap).default(24 * 60 * 60),
});

/** Answer of POST rotate-key; `descendants_ending` keys that the old one issued end with it. */
export const RotatedKey = IssuedKey.extend({
  replaces: z.string(),
  old_key_expires_at: ShownTime,
  descendants_ending: z.number(),
});

const RevokeOne = z.strictObject({
  id: id("key"),
  descendants: z.boolean().default(true),
  cancel_queued: z.boolean().default(false),
  include_self: z.boolean().default(false),
});

const Creator = z.union([id("key"), z.uuid().toLowerCase()], {
  error: "must be the id of a key or of a user",
});

/** What keys have in common; the conditions are joined by "and", and there must be one. */
const KeyFilter = z.strictObject({
  created_by: Creator.optional(),
  environment: Environment.optional(),
  issued_before: Time.optional(),
  issued_after: Time.optional(),
  scope: ScopeName.optional(),
  never_used: z.boolean().optional(),
  ip_range: AddressRange.optional(),
}).refine((given) => Object.values(given).some((value) => value !== undefined), {
  error: "must have at least one condition",
});

const RevokeMany = z.strictObject({
  filter: KeyFilter,
  descendants: z.boolean().default(true),
  cancel_queued: z.boolean().default(false),
  dry_run: z.boolean().default(false),
  include_self: z.boolean().default(false),
});

/** Body of POST revoke-key: one key by its id, or every key a filter finds. */
export const RevokeKey = z.looseObject({}).transform((given, context) => {
  const parsed = ("filter" in given ? RevokeMany : RevokeOne).safeParse(given);
  if (parsed.success) return parsed.data;
  context.issues.push(...parsed.error.issues.map((issue) => ({ ...issue, input: given }) as never));
  return z.NEVER;
});

/** Answer of POST revoke-key: when the key fell, or the keys that did or, in a dry run, would. */
export const RevokedKey = z.union([
  z.strictObject({ id: z.string(), revoked_at: ShownTime }),
  z.strictObject({ data: z.array(ListedKey), dry_run: z.boolean() }),
]);

/** Body of POST report-leaked-key: what was found, keys or not, and where. */
export const ReportLeakedKey = z.strictObject({
  keys: z.array(text(500)).min(1).max(100),
  source_url: z.string().max(2048).regex(/^[\x21-\x7e]*$/, "must be an address in visible ASCII characters")
    .pipe(z.url({ protocol: /^https?$/, normalize: true }))
    .transform((given) => withoutKeys(given.replace(/^(https?:\/\/)[^/?#]*@/, "$1"))).optional(),
});

/** Answer of POST report-leaked-key: the same whether a key was ours or not. */
export const ReceivedReport = z.object({ received: z.number() });
