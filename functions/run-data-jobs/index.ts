import { ok } from "../../shared/answers.ts";
import { takeStep } from "../../shared/data-steps.ts";
import { route } from "../../shared/route.ts";
import { DataJobs } from "../../shared/schemas/data-jobs.ts";
import { Done, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { wake } from "../../shared/wake.ts";

/**
 * Takes the step that is due of a replay, an export, a deletion or a rotation of keys. One step a call, because hosted gives a
 * request two seconds of CPU; what is left wakes the next.
 */
export default serve("run-data-jobs", {
  POST: route({
    summary: "Takes one step of a replay, an export, a deletion or a rotation of the master key",
    access: { worker: true },
    body: Nothing,
    answer: Done,
    status: 200,
    async run({ caller, call }) {
      const claimed = DataJobs.parse(await call("claim_data_jobs", { p_caller: caller }));
      for (const job of claimed) {
        if (await takeStep(job, caller, call)) wake("dispatch-webhooks");
      }
      if (claimed.length > 0) wake("run-data-jobs");
      return ok({ done: claimed.length });
    },
  }),
});
