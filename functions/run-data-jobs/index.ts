import { ok } from "../../shared/answers.ts";
import type { Caller } from "../../shared/credentials.ts";
import { storePart } from "../../shared/exporting.ts";
import { type Context, route } from "../../shared/route.ts";
import { type DataJob, DataJobs, ExportStep, StepDone } from "../../shared/schemas/data-jobs.ts";
import { Done, Nothing } from "../../shared/schemas/workers.ts";
import { serve } from "../../shared/serve.ts";
import { removeStored } from "../../shared/storage.ts";
import { wake } from "../../shared/wake.ts";

type Call = Context<Caller, unknown, unknown>["call"];

/** A claimed job as its SQL functions are told of it. */
type Claim = { p_caller: Caller; p_job_id: string; p_fence: number };

/** One page becomes one part; the part is on record after its bytes are stored. */
async function exportStep({ organization_id }: DataJob, claim: Claim, call: Call): Promise<unknown> {
  const step = ExportStep.parse(await call("read_export_step", claim));
  if (step.stage === "lost") return { done: true };
  const part = await storePart(organization_id ?? "", step);
  return await call("finish_export_step", { ...claim, p_part: part, p_after: step.after ?? null });
}

/** What the step before took the last row of goes from the storage first: a step lost in between is asked for again. */
async function deletionStep({ cursor }: DataJob, claim: Claim, call: Call): Promise<unknown> {
  await removeStored(cursor?.objects ?? []);
  return await call("delete_step", claim);
}

const steps: Record<DataJob["kind"], (job: DataJob, claim: Claim, call: Call) => Promise<unknown>> = {
  export_data: exportStep,
  delete_data: deletionStep,
  rewrap_keys: (_, claim, call) => call("rewrap_data_keys", claim),
};

/**
 * Takes the step that is due of an export, a deletion or a rotation of keys. One step a call, because hosted gives a
 * request two seconds of CPU; what is left wakes the next.
 */
export default serve("run-data-jobs", {
  POST: route({
    summary: "Takes one step of an export, a deletion or a rotation of the master key",
    access: { worker: true },
    body: Nothing,
    answer: Done,
    status: 200,
    async run({ caller, call }) {
      const claimed = DataJobs.parse(await call("claim_data_jobs", { p_caller: caller }));
      for (const job of claimed) {
        const claim = { p_caller: caller, p_job_id: job.job_id, p_fence: job.fence };
        StepDone.parse(await steps[job.kind](job, claim, call));
      }
      if (claimed.length > 0) wake("run-data-jobs");
      return ok({ done: claimed.length });
    },
  }),
});
