import { ok } from "../../shared/answers.ts";
import { deliverInRounds } from "../../shared/delivery-rounds.ts";
import { route } from "../../shared/route.ts";
import { Done, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Delivers events that are due. Bytes are stored before the first try, so every try sends the same. */
export default serve("dispatch-webhooks", {
  POST: route({
    summary: "Delivers events that are due to their endpoints",
    access: { worker: true },
    body: Nothing,
    answer: Done,
    status: 200,
    async run({ caller, call }) {
      const { done, more } = await deliverInRounds(caller, call);
      // What is left goes on in a request of its own.
      if (more) wake("dispatch-webhooks");
      return ok({ done });
    },
  }),
});
