import type { Hosts } from "../outgoing.ts";
import type { StackFile } from "../stack-file.ts";
import { mainJob } from "./main-job.ts";
import type { Tell } from "./step.ts";

/** The stack a run works on. */
export interface Opened {
  stack: StackFile;
  /** Where it had connected to before: of a stack that ran already, its developer's doing. */
  before: Hosts;
}

/** Does the main job on the stack that `open` gives, and tells how it went. Resolves to the process's exit code. */
export async function runDemo(open: () => Promise<Opened>, tell: Tell): Promise<0 | 1> {
  try {
    const { stack, before } = await open();
    const began = performance.now();
    await mainJob(stack, before, tell);
    tell(`\nThe main job works: ${((performance.now() - began) / 1000).toFixed(1)} s.`);
    return 0;
  } catch (error) {
    tell(`\nThe demo failed: ${reason(error as Error)}.`);
    return 1;
  }
}

/** fetch says only that it failed; why stands in the cause. */
function reason({ message, cause }: Error): string {
  const why = cause instanceof Error ? `${message}: ${cause.message || cause.name}` : message;
  return why.replace(/\.$/, "");
}
