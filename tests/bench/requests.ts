import { answered, asked } from "./asking.ts";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { inFlight, perSecond } from "./throughput.ts";

/** Requests a second, eight at a time, with the function and PostgREST's stand-in in this one process. */
export async function measureRequests({ keys }: Project): Promise<Figure> {
  return {
    name: "whoami requests a second",
    value: Math.round(await perSecond(2_000, () => answered(asked(keys.live[0] ?? ""), 200))),
    measured: `${inFlight} at a time; client, function and PostgREST's stand-in share one process`,
  };
}
