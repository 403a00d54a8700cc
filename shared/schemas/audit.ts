import { z } from "zod";
import { Environment, PageQuery, ShownTime, text, Time } from "./fields.ts";

/** Query of GET audit. Filters are joined by "and"; `since` is included, `until` is not. */
export const AuditFilters = PageQuery.extend({
  action: z.string().regex(/^[a-z_]+\.[a-z_]+$/, "must be an action like key.revoked").max(100).optional(),
  actor_id: text(100).min(1).optional(),
  subject_id: text(100).min(1).optional(),
  environment: Environment.optional(),
  since: Time.optional(),
  until: Time.optional(),
});

/** One line: who did what to which object, by id. `sealed_in` is the range whose hash covers it. */
export const AuditLine = z.object({
  id: z.string(),
  environment: Environment.nullable(),
  actor_kind: z.string(),
  actor_id: z.string(),
  action: z.string(),
  subject_id: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
  sealed_in: z.number().nullable(),
  created_at: ShownTime,
});

/** Query of GET audit/verify: a head that audit.sealed once told. */
export const VerifyQuery = z.strictObject({
  head: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits, as audit.sealed tells them").optional(),
});

/**
 * Answer of GET audit/verify; `lines` are those kept in sealed ranges. `valid`: whether every sealed line is as it was,
 * and the given head part of the chain.
 */
export const AuditProof = z.object({
  valid: z.boolean(),
  ranges: z.number(),
  lines: z.number(),
  dropped_ranges: z.number(),
  unsealed: z.number(),
  head: z.string().nullable(),
  head_known: z.boolean().nullable(),
  faults: z.array(z.object({ sequence: z.number(), fault: z.string() })),
});
