import { Fault } from "./errors.ts";

/** What our own faults say may go to the log; a dependency's message may hold a caller's data: only where it arose. */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error instanceof Fault) return `${error.name}: ${error.message}`.slice(0, 300);
  const frames = (error.stack ?? "").replace(error.message, "").split("\n").slice(1);
  return [error.name, ...frames.slice(0, 3).map((frame) => frame.trim())].join(" ").slice(0, 500);
}
