import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";

/** Answers a node:http request by a handler of Web requests, streaming both ways; a handler that throws is a 500. */
export function answerWith(
  handler: (request: Request) => Promise<Response>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  handler(toWebRequest(request, gone.signal))
    .catch((error: unknown) => failed(request, error))
    .then((answer) => send(answer, response))
    // The caller hung up, or the body broke off: there is nobody left to tell.
    .catch(() => response.destroy());
}

function toWebRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const method = request.method ?? "GET";
  const bare = method === "GET" || method === "HEAD";
  return new Request(new URL(request.url ?? "/", `http://${request.headers.host ?? "localhost"}`), {
    method,
    headers,
    signal,
    ...(bare ? {} : { body: Readable.toWeb(request) as ReadableStream<Uint8Array>, duplex: "half" }),
  });
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.statusCode = answer.status;
  response.setHeaders(answer.headers);
  if (answer.body === null) return void response.end();
  await pipeline(Readable.fromWeb(answer.body as NodeReadableStream), response);
}

function failed(request: IncomingMessage, error: unknown): Response {
  console.error(`${request.method} ${request.url?.split("?")[0]}:`, error);
  return Response.json({ error: "The local stack failed to answer.", code: "internal" }, { status: 500 });
}
