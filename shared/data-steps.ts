import { holdsAddress } from "./address-in-bytes.ts";
import type { Caller } from "./credentials.ts";
import { storePart } from "./exporting.ts";
import type { Context } from "./route.ts";
import { type DataJob, ExportStep, StepDone } from "./schemas/data-jobs.ts";
import { readIfStored, removeStored } from "./storage.ts";

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

/** Which of the raw requests hold the person's address. */
async function found({ inspect, address }: DataJob): Promise<string[]> {
  const ids: string[] = [];
  for (const { id, storage_key } of inspect) {
    const bytes = await readIfStored(storage_key);
    if (bytes !== null && holdsAddress(bytes, address ?? "")) ids.push(id);
  }
  return ids;
}

/** What the step before left without a row goes from the storage first: a step lost in between is asked for again. */
async function deletionStep(job: DataJob, claim: Claim, call: Call): Promise<unknown> {
  await removeStored(job.remove);
  return await call("delete_step", { ...claim, p_removed: job.remove, p_found: await found(job) });
}

const steps: Record<DataJob["kind"], (job: DataJob, claim: Claim, call: Call) => Promise<unknown>> = {
  export_data: exportStep,
  delete_data: deletionStep,
  replay_deliveries: (_, claim, call) => call("replay_step", claim),
  rewrap_keys: (_, claim, call) => call("rewrap_data_keys", claim),
};

/**
 * Takes one step of a claimed job. True when webhooks may have something to deliver after it: a replay queues them at every
 * step, the end of an export is told of. Throws `storage_unavailable`; the step is then taken again.
 */
export async function takeStep(job: DataJob, caller: Caller, call: Call): Promise<boolean> {
  const claim = { p_caller: caller, p_job_id: job.job_id, p_fence: job.fence };
  const { done } = StepDone.parse(await steps[job.kind](job, claim, call));
  return job.kind === "replay_deliveries" || job.kind === "export_data" && done;
}
