import { accepted } from "../../shared/answers.ts";
import { route } from "../../shared/route.ts";
import { ReplayDeliveries, Replaying } from "../../shared/schemas/deliveries.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Sends deliveries again, under the ids they had. Many of them are a job of steps, which no restart loses. */
export default serve("replay-deliveries", {
  POST: route({
    summary: "Sends one delivery again, or all of an endpoint that failed since a time",
    access: { scope: "webhooks:write" },
    body: ReplayDeliveries,
    answer: Replaying,
    status: 202,
    async run({ caller, body, call }) {
      const started = await call("replay_deliveries", { p_caller: caller, p_request: body });
      wake(body.delivery_id !== undefined ? "dispatch-webhooks" : "run-data-jobs");
      return accepted(started);
    },
  }),
});
