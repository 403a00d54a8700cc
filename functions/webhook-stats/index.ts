import { ok } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { StatsQuery, WebhookStats } from "../../shared/schemas/deliveries.ts";
import { serve } from "../../shared/serve.ts";

/** How well each endpoint answers, and what waits for it. */
export default serve("webhook-stats", {
  GET: route({
    summary: "Shows each endpoint's success rate, times and backlog",
    access: { scope: "webhooks:read" },
    query: StatsQuery,
    answer: WebhookStats,
    status: 200,
    run: async ({ caller, query, call }) =>
      ok(await call("webhook_stats", { p_caller: caller, p_request: query })),
  }),
});
