import { z } from "zod";
import { scopes } from "../../access.ts";
import { id, ShownTime } from "../fields.ts";
import { eventKind } from "./event-kind.ts";

/** What every event of a key tells of it; never the key. */
const key = z.strictObject({
  key_id: id("key"),
  name: z.string(),
  last_four: z.string().length(4),
});
const found = {
  source_host: z.string().nullable().describe("where it was found, if it was reported and the report says"),
  source_url: z.string().nullable().describe("as `source_host`"),
};
const who = "the key or user that did it, or `report-leaked-key`";
const how = "how it was shown, or that it was reported";

const example = { key_id: "key_01KXYS7N4D6F8H1K3M5P7R9TVX", name: "Shop", last_four: "x7Qd" };
const source_url = "https://paste.example/1";

/** Events of API keys, to the endpoints of the key's own environment. */
export const keyEvents = {
  "key.issued": eventKind({
    when: "A key was issued.",
    data: key.extend({ scopes: z.array(z.enum(scopes)) }),
    example: { ...example, scopes: ["mail:send"] },
  }),
  "key.rotated": eventKind({
    when: "A key has a successor, which it tells of; the old one works until the overlap ends.",
    data: key.extend({
      replaces: id("key").describe("the old key"),
      old_key_expires_at: ShownTime,
      descendants_ending: z.int().describe("how many keys that came from the old one end with it"),
    }),
    example: {
      ...example,
      replaces: "key_01KXQB2E5G7J9M1P3R5T7V9XZ0",
      old_key_expires_at: "2026-11-25T10:00:00.000Z",
      descendants_ending: 0,
    },
  }),
  "key.revoked": eventKind({
    when: "A key was revoked; each key that falls with it has an event of its own.",
    data: z.union([
      key.extend({ revoked_by: z.union([id("key"), z.uuid()]).describe(who) }),
      key.extend({ revoked_by: z.literal("report-leaked-key").describe(who), ...found }),
    ]),
    example: { ...example, revoked_by: "f3b1c0de-5a1e-4f6b-9c1d-2e7a8b9c0d1e" },
  }),
  "key.rotation_due": eventKind({
    when: "A key without a successor is 90 days old, or was exposed; told once.",
    data: key.extend({ issued_at: ShownTime, exposed_at: ShownTime.nullable() }),
    example: { ...example, issued_at: "2026-08-26T10:00:00.000Z", exposed_at: null },
  }),
  "key.exposed": eventKind({
    when: "A key was seen where it does not belong, or reported as found in the open; told once.",
    data: z.union([
      key.extend({ how: z.enum(["key_in_browser", "key_misplaced", "https_required"]).describe(how) }),
      key.extend({ how: z.literal("reported").describe(how), ...found }),
    ]),
    example: { ...example, how: "reported", source_host: new URL(source_url).hostname, source_url },
  }),
  "key.honey_used": eventKind({
    when: "Somebody tried a honey key; told once.",
    data: key,
    example: { ...example, name: "Bait" },
  }),
};
