/**
 * Runs the Edge Functions under Deno as the hosted platform does: each entry is imported on its first request
 * and answers under `/<slug>/…`. Arguments: the path of config.toml. Prints `{"port":n}` as its first line,
 * everything the functions print after it, and ends when its standard input closes.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { drainedRequest } from "./drained-request.ts";
import { declaredFunctions } from "./function-list.ts";

type Handler = { fetch(request: Request): Response | Promise<Response> };

/** The part of Deno this file uses; the rest of the folder runs on Node and is checked with Node's types. */
declare const Deno: {
  args: string[];
  serve(
    options: { hostname: string; port: number; onListen(address: { port: number }): void },
    handler: (request: Request) => Promise<Response>,
  ): unknown;
};

const configFile = pathToFileURL(Deno.args[0] ?? "");
const entries = new Map(
  declaredFunctions(readFileSync(configFile, "utf8")).map((
    { slug, entrypoint },
  ) => [slug, new URL(entrypoint, configFile)]),
);
const booted = new Map<string, Promise<Handler>>();

function boot(slug: string, entry: URL): Promise<Handler> {
  const loading = booted.get(slug) ??
    import(entry.href).then((module: { default: Handler }) => module.default);
  booted.set(slug, loading);
  return loading;
}

// The three refusals and their codes are the hosted runtime's.
const refusals = {
  NOT_FOUND: { status: 404, message: "Requested function was not found" },
  BOOT_ERROR: { status: 503, message: "Function failed to start (please check logs)" },
  WORKER_ERROR: { status: 500, message: "Function exited due to an error (please check logs)" },
};

function refuse(code: keyof typeof refusals, error?: unknown): Response {
  if (error !== undefined) console.error(code, error);
  const { status, message } = refusals[code];
  return Response.json({ code, message }, { status });
}

async function run(request: Request): Promise<Response> {
  const { request: whole, drain } = drainedRequest(request);
  const answer = await answerTo(whole);
  await drain(answer);
  return answer;
}

async function answerTo(request: Request): Promise<Response> {
  const slug = new URL(request.url).pathname.split("/")[1] ?? "";
  const entry = entries.get(slug);
  if (entry === undefined) return refuse("NOT_FOUND");
  const handler = await boot(slug, entry).catch((error) => refuse("BOOT_ERROR", error));
  if (handler instanceof Response) return handler;
  try {
    return await handler.fetch(request);
  } catch (error) {
    return refuse("WORKER_ERROR", error);
  }
}

Object.assign(globalThis, {
  EdgeRuntime: {
    waitUntil: (work: Promise<unknown>) => void work.catch((error) => console.error("waitUntil", error)),
  },
});

// Hosted, a stray failure ends one isolate; here all functions share this process, so it is only written down.
for (const kind of ["error", "unhandledrejection"]) {
  globalThis.addEventListener(kind, (event) => {
    event.preventDefault();
    console.error(
      kind,
      (event as Partial<PromiseRejectionEvent & ErrorEvent>).reason ?? (event as ErrorEvent).error,
    );
  });
}

// A parent that was killed resets the pipe instead of ending it.
process.stdin.resume().on("end", () => process.exit(0)).on("error", () => process.exit(0));

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(JSON.stringify({ port })) },
  run,
);
