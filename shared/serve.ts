import { json } from "./answers.ts";
import { type Caller, readCaller } from "./credentials.ts";
import { preflight, withCors } from "./cors.ts";
import { call as callDatabase } from "./database.ts";
import { ApiError, errorKinds, renderError } from "./errors.ts";
import { describeFault } from "./fault-line.ts";
import { FloodGuard } from "./flood-guard.ts";
import { refuseMisplacedKeys } from "./misplaced-keys.ts";
import { refusePlainHttp } from "./plain-http.ts";
import { type RateLimit, rateLimitHeaders, tighter } from "./rate-limit.ts";
import { recordRefusal } from "./refusals.ts";
import { defaultCap, readBytes, readJson } from "./request-body.ts";
import { requestId } from "./request-id.ts";
import { type Context, findRoute, type Match, type Route } from "./route.ts";
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

/** A session that picked no environment by header picks the one its body names. */
function withEnvironmentOf(body: unknown, caller: Caller | null): Caller | null {
  if (caller === null || !("user_id" in caller) || caller.environment !== undefined) return caller;
  const { environment, filter } = (body ?? {}) as {
    environment?: unknown;
    filter?: { environment?: unknown };
  };
  const named = environment ?? filter?.environment;
  return typeof named === "string" ? { ...caller, environment: named } : caller;
}

/** What is known of a request while it is answered. */
interface Visit {
  request: Request;
  id: string;
  log: Record<string, unknown>;
  caller: Caller | null;
  rateLimit: RateLimit | undefined;
}

const floods = new FloodGuard();

function keyOf({ caller }: Visit): { key_hash: string; address?: string } | null {
  return caller !== null && "key_hash" in caller ? caller : null;
}

async function runRoute({ route, params }: Match, visit: Visit): Promise<Response> {
  const { request } = visit;
  const caller = await readCaller(request, route.access);
  visit.caller = caller;
  const key = keyOf(visit);
  if (key !== null) floods.check(key.address, key.key_hash, Date.now());
  const query = route.query && validate(route.query, Object.fromEntries(new URL(request.url).searchParams));
  const cap = route.cap ?? defaultCap;
  const body = route.raw
    ? await readBytes(request, cap)
    : route.body && validate(route.body, await readJson(request, cap));
  const call: Context<unknown, unknown, unknown>["call"] = (name, args) =>
    callDatabase(name, args, (window) => visit.rateLimit = tighter(visit.rateLimit, window));
  return await route.run({ request, caller: withEnvironmentOf(body, caller), body, query, params, call });
}

function asApiError(error: unknown, log: Record<string, unknown>): ApiError {
  if (error instanceof ApiError) return error;
  log["fault"] = describeFault(error);
  return new ApiError("internal");
}

function errorResponse({ id }: Visit, error: ApiError): Response {
  const { rateLimit, retryAfterSeconds } = error.facts;
  const headers: Record<string, string> = {
    ...(rateLimit === undefined ? {} : rateLimitHeaders(rateLimit, true)),
    ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
  };
  return json(errorKinds[error.code].status, renderError(error, id), headers);
}

async function answer(routes: Record<string, Route>, visit: Visit): Promise<Response> {
  const { request } = visit;
  refusePlainHttp(request);
  refuseMisplacedKeys(request);
  if (request.method === "OPTIONS") return preflight(routes);
  const match = findRoute(routes, request);
  // The pattern and not the path: a path may hold a connection's token.
  visit.log["route"] = match.pattern;
  const response = await runRoute(match, visit);
  const key = keyOf(visit);
  if (key !== null) floods.succeeded(key.key_hash, Date.now());
  for (
    const [name, value] of Object.entries(visit.rateLimit ? rateLimitHeaders(visit.rateLimit, false) : {})
  ) {
    response.headers.set(name, value);
  }
  return response;
}

async function refuse(visit: Visit, error: unknown): Promise<Response> {
  const refusal = asApiError(error, visit.log);
  visit.log["code"] = refusal.code;
  if (refusal.code === "invalid_credential") floods.failed(keyOf(visit)?.address, Date.now());
  try {
    await recordRefusal(visit.request, visit.caller, refusal, visit.rateLimit !== undefined);
  } catch (fault) {
    // The refusal stands; that it left no trace is for the log.
    visit.log["untraced"] = fault instanceof ApiError ? fault.code : describeFault(fault);
  }
  return errorResponse(visit, refusal);
}

function listed(slug: string, routes: Record<string, Route>): ListedRoute[] {
  return Object.entries(routes).map(([pattern, route]) => {
    const [method = "", path = ""] = pattern.split(" ");
    return { ...route, method, path: slug + path.replace(/:(\w+)/g, "{$1}") };
  });
}

/**
 * Makes an Edge Function of its routes, keyed `METHOD` or `METHOD /:parameter`. The one request pipeline
 * (DESIGN §5): request id, https, CORS, method, credential shape, body cap, JSON, schema, `run`, rate-limit headers; any
 * error is rendered here, and each request leaves one line of JSON without secrets. Never throws.
 */
export function serve(slug: string, routes: Record<string, Route>): EdgeFunction {
  return {
    routes: listed(slug, routes),
    async fetch(request) {
      const started = performance.now();
      const id = requestId(request);
      const log: Record<string, unknown> = { function: slug, method: request.method, request_id: id };
      const visit: Visit = { request, id, log, caller: null, rateLimit: undefined };
      const response = await answer(routes, visit).catch((error) => refuse(visit, error));
      response.headers.set("x-request-id", id);
      response.headers.set("cache-control", "no-store");
      log["status"] = response.status;
      log["duration_ms"] = Math.round(performance.now() - started);
      console.log(JSON.stringify(log));
      return withCors(response);
    },
  };
}
