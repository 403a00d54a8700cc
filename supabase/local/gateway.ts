import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { answerWith } from "./fetch-handler.ts";
import { forward } from "./forward.ts";
import { listen } from "./ports.ts";

/** What stands behind the gateway. A handler sees the request's whole path. */
export interface Routes {
  /** Where the functions listen now; undefined while their host is not there. */
  functionsPort(): number | undefined;
  /** Handlers by path prefix, for instance `/rest/v1`. */
  handlers: Record<string, (request: Request) => Promise<Response>>;
}

/** The one address of the stack, as a project's API gateway is on the hosted platform. */
export interface Gateway {
  port: number;
  /** Until this is called every request is answered 503. */
  open(routes: Routes): void;
  close(): Promise<void>;
}

const FUNCTIONS = "/functions/v1";

/** Takes `port` on loopback (0: any free one). Rejects with one sentence where something else has it. */
export async function openGateway(port: number): Promise<Gateway> {
  let routes: Routes = { functionsPort: () => undefined, handlers: { "/": notReady } };
  // A body of 40 MiB over a slow line may take longer than the five minutes Node grants a request.
  const server = createServer(
    { requestTimeout: 0 },
    (request, response) => dispatch(routes, request, response),
  );
  const taken = await listen(server, port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${port} is in use: stop what listens there, or set MAILPIPE_PORT to another port.`);
  });
  return {
    port: taken,
    open: (opened) => void (routes = opened),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function dispatch(routes: Routes, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "/";
  if (isUnder(url, FUNCTIONS)) {
    const port = routes.functionsPort();
    if (port === undefined) return answerWith(notReady, request, response);
    return forward(request, response, port, url.slice(FUNCTIONS.length));
  }
  const prefix = Object.keys(routes.handlers).find((each) => isUnder(url, each));
  answerWith(routes.handlers[prefix ?? ""] ?? notFound, request, response);
}

function isUnder(url: string, prefix: string): boolean {
  return url.startsWith(prefix) && (prefix.endsWith("/") || url[prefix.length] === "/");
}

function notReady(): Promise<Response> {
  const body = { error: "This part of the local stack is starting.", code: "starting" };
  return Promise.resolve(Response.json(body, { status: 503, headers: { "retry-after": "1" } }));
}

function notFound(): Promise<Response> {
  return Promise.resolve(
    Response.json({ error: "No service has this path.", code: "not_found" }, { status: 404 }),
  );
}
