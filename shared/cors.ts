import type { Route } from "./route.ts";

const allowedHeaders = "authorization, apikey, content-type, x-client-info, x-organization-id, " +
  "x-mailpipe-environment, idempotency-key, x-batch-validation, x-request-id";
const exposedHeaders = "x-request-id, idempotent-replayed, retry-after, ratelimit, ratelimit-policy, " +
  "x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset";

/** Readable by any page: a browser has nothing to send along but the session token it chose to send. */
export function withCors(response: Response): Response {
  response.headers.set("access-control-allow-origin", "*");
  response.headers.set("access-control-expose-headers", exposedHeaders);
  return response;
}

/** The answer to OPTIONS: no credentials mode, the methods the function has. */
export function preflight(routes: Record<string, Route>): Response {
  const methods = [...new Set(Object.keys(routes).map((pattern) => pattern.split(" ")[0]))].join(", ");
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": methods,
      "access-control-allow-headers": allowedHeaders,
      "access-control-max-age": "600",
    },
  });
}
