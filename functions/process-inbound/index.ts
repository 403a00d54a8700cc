import { ok } from "../../shared/answers.ts";
import { processInbound } from "../../shared/processing-inbound.ts";
import { inRounds } from "../../shared/rounds.ts";
import { route } from "../../shared/route.ts";
import { InboundWork } from "../../shared/schemas/inbound.ts";
import { Done, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/** Works through stored provider requests: events to their messages, mail to its mailbox and thread. */
export default serve("process-inbound", {
  POST: route({
    summary: "Processes provider requests that are due",
    access: { worker: true },
    body: Nothing,
    answer: Done,
    status: 200,
    async run({ caller, call }) {
      const claim = async () =>
        InboundWork.parse(await call("claim_inbound", { p_caller: caller, p_limit: 4 }));
      const work = async (claimed: InboundWork[]) => {
        // One after another: a mail of 40 MiB is held three times while it is parsed.
        for (const one of claimed) {
          const result = await processInbound(one, Math.random());
          const job = { p_job_id: one.job_id, p_fence: one.fence };
          await call("finish_inbound", { p_caller: caller, ...job, p_result: result });
        }
        wake("dispatch-webhooks");
      };
      return ok({ done: await inRounds(claim, work) });
    },
  }),
});
