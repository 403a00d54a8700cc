import { ok } from "../../shared/answers.ts";
import { composeEventBody, dispatchDelivery } from "../../shared/dispatching.ts";
import { inRounds } from "../../shared/rounds.ts";
import { route } from "../../shared/route.ts";
import { DeliveryWork } from "../../shared/schemas/outgoing.ts";
import { Done, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";

/** Delivers events that are due. Bytes are stored before the first try, so every try sends the same. */
export default serve("dispatch-webhooks", {
  POST: route({
    summary: "Delivers events that are due to their endpoints",
    access: { worker: true },
    body: Nothing,
    answer: Done,
    status: 200,
    async run({ caller, call }) {
      const claim = async () =>
        DeliveryWork.parse(await call("claim_deliveries", { p_caller: caller, p_limit: 16 }));
      const dispatch = async (claimed: DeliveryWork[]) => {
        const composed = claimed.filter((work) => work.body === null).map(({ event }) => [
          event.id,
          composeEventBody(event),
        ]);
        const stored = composed.length === 0 ? {} : await call("store_event_bodies", {
          p_caller: caller,
          p_bodies: Object.fromEntries(composed),
        });
        const results = await Promise.all(
          claimed.map((work) =>
            dispatchDelivery(work, work.body ?? String(stored[work.event.id]), new Date(), Math.random())
          ),
        );
        await call("finish_deliveries", { p_caller: caller, p_results: results });
      };
      return ok({ done: await inRounds(claim, dispatch) });
    },
  }),
});
