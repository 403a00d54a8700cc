import { functionsUrl, secretKey } from "./environment.ts";

interface EdgeRuntime {
  waitUntil(work: Promise<unknown>): void;
}

/** Lets work outlive the answer, and swallows its failure: what must happen is a row in the database first. */
export function inBackground(work: Promise<unknown>): void {
  const runtime = (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime;
  // A lost wake-up is found by the next sweep.
  const settled = work.catch(() => {});
  runtime?.waitUntil(settled);
}

/** Calls a worker of this project with the project's secret key and awaits its answer. `body` narrows the work. */
export async function callWorker(slug: string, body: Record<string, unknown>): Promise<Response> {
  return await fetch(`${functionsUrl()}/${slug}`, {
    method: "POST",
    headers: { apikey: secretKey(), "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Wakes a worker without waiting for it. */
export function wake(slug: "deliver-mail" | "dispatch-webhooks" | "process-inbound" | "run-data-jobs"): void {
  inBackground(callWorker(slug, {}).then((answer) => answer.body?.cancel()));
}
