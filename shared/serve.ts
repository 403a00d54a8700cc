import { json } from "./answers.ts";
import { type Caller, readCaller } from "./credentials.ts";
import { preflight, withCors } from "./cors.ts";
import { call } from "./database.ts";
import { ApiError, errorKinds, Fault, renderError } from "./errors.ts";
import { defaultCap, readBytes, readJson } from "./request-body.ts";
import { findRoute, type Match, type Route } from "./route.ts";
import { validate } from "./validate.ts";

/** A route with its place in the API, for the README's table, OpenAPI and the tests that knock on every door. */
export interface ListedRoute extends Route {
  method: string;
  /** `messages/{id}` */
  path: string;
}

/** What an entrypoint exports: the handler, and what it answers to. */
export interface EdgeFunction {
  fetch(request: Request): Promise<Response>;
  routes: ListedRoute[];
}

function requestId(request: Request): string {
  const given = request.headers.get("x-request-id");
  // What is echoed and logged must not be able to write either.
  return given !== null && /^[A-Za-z0-9_-]{1,64}$/.test(given)
    ? given
    : `req_${crypto.randomUUID().replaceAll("-", "")}`;
}

function refusePlainHttp(request: Request): void {
  const forwarded = request.headers.get("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase();
  const url = new URL(request.url);
  const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  const plain = forwarded === undefined ? url.protocol === "http:" && !loopback : forwarded !== "https";
  // The hosted runtime hands over http URLs of its own host and says in the header how the caller came.
  if (plain) throw new ApiError("https_required");
}

/** A session that picked no environment by header picks the one its body names. */
function withEnvironmentOf(body: unknown, caller: Caller | null): Caller | null {
  if (caller === null || !("user_id" in caller) || caller.environment !== undefined) return caller;
  const named = (body as { environment?: unknown } | undefined)?.environment;
  return typeof named === "string" ? { ...caller, environment: named } : caller;
}

async function runRoute({ route, params }: Match, request: Request): Promise<Response> {
  const caller = await readCaller(request, route.access);
  const query = route.query && validate(route.query, Object.fromEntries(new URL(request.url).searchParams));
  const cap = route.cap ?? defaultCap;
  const body = route.raw
    ? await readBytes(request, cap)
    : route.body && validate(route.body, await readJson(request, cap));
  return await route.run({ request, caller: withEnvironmentOf(body, caller), body, query, params, call });
}

/** What our own faults say may go to the log; a dependency's message may hold a caller's data: only where it arose. */
function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error instanceof Fault) return `${error.name}: ${error.message}`.slice(0, 300);
  const frames = (error.stack ?? "").replace(error.message, "").split("\n").slice(1);
  return [error.name, ...frames.slice(0, 3).map((frame) => frame.trim())].join(" ").slice(0, 500);
}

function asApiError(error: unknown, log: Record<string, unknown>): ApiError {
  if (error instanceof ApiError) return error;
  log["fault"] = describeFault(error);
  return new ApiError("internal");
}

function errorResponse(error: ApiError, id: string): Response {
  return json(errorKinds[error.code].status, renderError(error, id));
}

async function answer(
  routes: Record<string, Route>,
  request: Request,
  log: Record<string, unknown>,
): Promise<Response> {
  refusePlainHttp(request);
  if (request.method === "OPTIONS") return preflight(routes);
  const match = findRoute(routes, request);
  // The pattern and not the path: a path may hold a connection's token.
  log["route"] = match.pattern;
  return await runRoute(match, request);
}

function listed(slug: string, routes: Record<string, Route>): ListedRoute[] {
  return Object.entries(routes).map(([pattern, route]) => {
    const [method = "", path = ""] = pattern.split(" ");
    return { ...route, method, path: slug + path.replace(/:(\w+)/g, "{$1}") };
  });
}

/**
 * Makes an Edge Function of its routes, keyed `METHOD` or `METHOD /:parameter`. The one request pipeline
 * (DESIGN §5): request id, https, CORS, method, credential shape, body cap, JSON, schema, `run`; any error is
 * rendered here, and each request leaves one line of JSON without secrets. Never throws.
 */
export function serve(slug: string, routes: Record<string, Route>): EdgeFunction {
  return {
    routes: listed(slug, routes),
    async fetch(request) {
      const started = performance.now();
      const id = requestId(request);
      const log: Record<string, unknown> = { function: slug, method: request.method, request_id: id };
      let response: Response;
      try {
        response = await answer(routes, request, log);
      } catch (error) {
        const refusal = asApiError(error, log);
        log["code"] = refusal.code;
        response = errorResponse(refusal, id);
      }
      response.headers.set("x-request-id", id);
      response.headers.set("cache-control", "no-store");
      log["status"] = response.status;
      log["duration_ms"] = Math.round(performance.now() - started);
      console.log(JSON.stringify(log));
      return withCors(response);
    },
  };
}
