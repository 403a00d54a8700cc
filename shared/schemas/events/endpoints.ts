import { z } from "zod";
import { id, ShownTime } from "../fields.ts";
import { eventKind } from "./event-kind.ts";

const endpoint_id = id("whk");
const example = { endpoint_id: "whk_01KXYP5R7T9V1X3Z5B7D9F1H3K" };

/** Events of webhook endpoints. */
export const endpointEvents = {
  "webhook.disabled": eventKind({
    when: "An endpoint was disabled, and nothing is delivered to it until it is enabled again.",
    data: z.strictObject({
      endpoint_id,
      url: z.string(),
      reason: z.enum(["gone", "asked", "failing", "redacted"]).describe(
        "it answered 410, it asked not to be called, every try failed for days, or a person's address was removed from its URL",
      ),
      failing_since: ShownTime.nullable(),
      disabled_at: ShownTime,
    }),
    example: {
      ...example,
      url: "https://example.com/hooks",
      reason: "failing",
      failing_since: "2026-11-19T10:00:00.000Z",
      disabled_at: "2026-11-24T10:00:00.000Z",
    },
  }),
  "webhook.test": eventKind({
    when: "`POST webhooks/<id>/test` was called; sent to that endpoint only, whatever it subscribed to.",
    data: z.strictObject({ endpoint_id, message: z.string() }),
    example: { ...example, message: "This is a test." },
  }),
};
