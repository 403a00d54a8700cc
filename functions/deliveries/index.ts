import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { Delivery, DeliveryFilters, DeliveryWithBody } from "../../shared/schemas/deliveries.ts";
import { listOf } from "../../shared/schemas/fields.ts";
import { serve } from "../../shared/serve.ts";

/** Deliveries: what became of each event at each endpoint, try by try. */
export default serve("deliveries", {
  GET: route({
    summary: "Lists deliveries with their attempts, newest first",
    access: { scope: "webhooks:read" },
    query: DeliveryFilters,
    answer: listOf(Delivery),
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("list_deliveries", { p_caller: caller, p_request: query })),
  }),
  "GET /:id": route({
    summary: "Shows a delivery with the bytes that are sent",
    access: { scope: "webhooks:read" },
    answer: DeliveryWithBody,
    status: 200,
    run: async ({ caller, params, call }) =>
      ok(await call("get_delivery", { p_caller: caller, p_id: params["id"] })),
  }),
});
