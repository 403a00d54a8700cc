import type { z } from "zod";
import type { Access } from "./access.ts";
import type { Caller } from "./credentials.ts";
import type { call } from "./database.ts";
import { ApiError } from "./errors.ts";

/** What a route's `run` gets: everything about the request that passed. */
export interface Context<Who, Body, Query> {
  request: Request;
  caller: Who;
  body: Body;
  query: Query;
  /** The parameters of the route's path by name. */
  params: Record<string, string>;
  call: typeof call;
}

/** One thing a function answers to. */
export interface Route {
  summary: string;
  access: Access;
  body?: z.ZodType;
  query?: z.ZodType;
  /** What it answers when it works, for OpenAPI. */
  answer: z.ZodType;
  /** HTTP status of that answer. */
  status: number;
  /** Largest body in bytes; 1 MiB unless said. */
  cap?: number;
  /** The body is not JSON: `run` gets its bytes. */
  raw?: true;
  // deno-lint-ignore no-explicit-any -- `route` checks each against its own schemas
  run(context: Context<any, any, any>): Promise<Response>;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type Who<A extends Access> = A extends { public: true } ? Caller | null
  : A extends { connection: true } ? null
  : Caller;

/** Ties a route's `run` to its access and schemas. */
export function route<
  const A extends Access,
  Body extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Raw extends true | undefined = undefined,
>(
  definition: Omit<Route, "access" | "body" | "query" | "raw" | "run"> & {
    access: A;
    body?: Body;
    query?: Query;
    raw?: Raw;
    run(
      context: Context<Who<A>, Raw extends true ? Uint8Array : Parsed<Body>, Parsed<Query>>,
    ): Promise<Response>;
  },
): Route {
  return definition as unknown as Route;
}

/** A route that answers a request, with what its path named. */
export interface Match {
  route: Route;
  pattern: string;
  params: Record<string, string>;
}

/** The path after the function's own slug, which is the first segment, with or without the gateway's prefix. */
function segmentsOf(request: Request): string[] {
  const path = new URL(request.url).pathname.replace(/^\/functions\/v1(?=\/)/, "");
  return path.split("/").filter(Boolean).slice(1);
}

function paramsOf(pattern: string, segments: string[]): Record<string, string> | null {
  const steps = pattern.split(" ")[1]?.split("/").filter(Boolean) ?? [];
  if (steps.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [index, step] of steps.entries()) {
    const segment = segments[index] ?? "";
    if (step.startsWith(":")) params[step.slice(1)] = segment;
    else if (step !== segment) return null;
  }
  return params;
}

/** Finds the route by path and method. Throws `not_found` or `method_not_allowed`. */
export function findRoute(routes: Record<string, Route>, request: Request): Match {
  const segments = segmentsOf(request);
  const onPath = Object.entries(routes).flatMap(([pattern, route]) => {
    const params = paramsOf(pattern, segments);
    return params === null ? [] : [{ route, pattern, params }];
  });
  if (onPath.length === 0) throw new ApiError("not_found", "no such path");
  const match = onPath.find(({ pattern }) => pattern.split(" ")[0] === request.method);
  if (match !== undefined) return match;
  const methods = onPath.map(({ pattern }) => pattern.split(" ")[0]).join(", ");
  throw new ApiError("method_not_allowed", `use ${methods}`);
}
