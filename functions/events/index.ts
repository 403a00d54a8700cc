import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { listOf } from "../../shared/schemas/fields.ts";
import { EventFilters, StoredEvent } from "../../shared/schemas/stored-events.ts";
import { serve } from "../../shared/serve.ts";

/** Events in full, whatever a webhook could hold of them. */
export default serve("events", {
  GET: route({
    summary: "Lists events, newest first",
    access: { scope: "webhooks:read" },
    query: EventFilters,
    answer: listOf(StoredEvent),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_events", { p_caller: caller, p_request: query })),
  }),
  "GET /:id": route({
    summary: "Shows an event",
    access: { scope: "webhooks:read" },
    answer: StoredEvent,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("get_event", { p_caller: caller, p_id: params["id"] })),
  }),
});
