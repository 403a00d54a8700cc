import { z } from "zod";
import { storableText } from "../storable-text.ts";

/**
 * Text that Postgres takes: no NUL, no half of a surrogate pair. Lengths are in UTF-16 units. What is too long is not
 * looked at further: a pattern may overflow the engine's stack on megabytes.
 */
export function text(longest: number) {
  return z.string().max(longest, { abort: true }).refine((given) => storableText(given) === given, {
    error: "must not contain NUL or half a character",
  });
}

/** A name people give to things: one line, 1 to 200 characters. */
export const Name = z.string().trim().min(1).max(200, { abort: true }).regex(
  // Marks that turn the writing direction make a name read as another.
  /^[^\p{Cc}\p{Cs}\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/u,
  "must not contain control characters",
);

/** An id as we make them: prefix and ULID. */
export function id(prefix: string) {
  return z.string().regex(new RegExp(`^${prefix}_[0-9A-HJKMNP-TV-Z]{26}$`), `must be an id like ${prefix}_…`);
}

export const Environment = z.enum(["live", "test"]);

/** RFC 3339 with any offset, handed on in UTC. */
export const Time = z.iso.datetime({ offset: true }).refine((given) => {
  // Beyond these JavaScript and Postgres spell a year differently, and an offset can lead there.
  const year = new Date(given).getUTCFullYear();
  return !(year < 1 || year > 9999);
}, "must lie in the years 1 to 9999").transform((given) => new Date(given).toISOString());

/** A time as we answer it: RFC 3339 in UTC with milliseconds. */
export const ShownTime = z.iso.datetime();

/** Query of every list. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: text(200).optional(),
});

/** Answer of every list. */
export function listOf(item: z.ZodType) {
  return z.object({ data: z.array(item), has_more: z.boolean(), next: z.string().nullable() });
}

/** Answer to a removal. */
export const Removed = z.object({ id: z.string(), removed: z.literal(true) });
