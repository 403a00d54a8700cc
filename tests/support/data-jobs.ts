import runDataJobs from "../../functions/run-data-jobs/index.ts";
import type { Api } from "./api.ts";
import { ask } from "./ask.ts";

const mostSteps = 1_000;

/** Takes one step of what is due; how many jobs it was of. */
export async function dataStep(api: Api): Promise<number> {
  const answer = await ask(runDataJobs, "run-data-jobs", { headers: { apikey: api.secretKey }, body: {} });
  if (answer.status !== 200) throw new Error(`run-data-jobs answered ${answer.status} ${answer.text}`);
  return Number(answer.body.done);
}

/** Takes steps until nothing is due; how many there were. */
export async function runAllDataJobs(api: Api): Promise<number> {
  for (let steps = 0; steps < mostSteps; steps++) {
    if (await dataStep(api) === 0) return steps;
  }
  throw new Error(`data jobs took more than ${mostSteps} steps`);
}
