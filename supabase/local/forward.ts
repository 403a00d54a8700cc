import { Agent, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";

/** Headers that speak about one connection only (RFC 9110 §7.6.1), and what Node has already answered for us. */
const HOP_BY_HOP = new Set(
  ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"],
);

const connections = new Agent({ keepAlive: true });

/**
 * Pipes a request to the server on loopback `port` under `path`, and its answer back. With node:http and not
 * fetch, which would unpack bodies and keep their content-encoding. Appends the peer to `x-forwarded-for`;
 * every other header passes as it came, `x-forwarded-proto` included.
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  path: string,
): void {
  const upstream = httpRequest({
    agent: connections,
    host: "127.0.0.1",
    port,
    path,
    method: request.method,
    headers: forwardedHeaders(request),
  });
  upstream.on("response", (answer) => passBack(answer, response));
  upstream.on("error", (error) => response.headersSent || refuse(response, error));
  // A caller still sending after the answer is heard out; otherwise the connection would be stuck.
  upstream.on("close", () => request.unpipe(upstream).resume());
  response.once("close", () => upstream.destroy());
  request.pipe(upstream);
}

function passBack(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, withoutHeaders(answer, HOP_BY_HOP));
  answer.once("error", () => response.destroy());
  answer.pipe(response);
}

function refuse(response: ServerResponse, error: Error): void {
  const body = JSON.stringify({
    error: `The functions gave no answer: ${error.message}.`,
    code: "no_answer",
  });
  response.writeHead(502, { "content-type": "application/json" }).end(body);
}

function forwardedHeaders(request: IncomingMessage): string[] {
  const came = request.headersDistinct["x-forwarded-for"] ?? [];
  const peers = [...came, request.socket.remoteAddress ?? "unknown"].join(", ");
  const dropped = new Set([...HOP_BY_HOP, "x-forwarded-for"]);
  return [...withoutHeaders(request, dropped), "x-forwarded-for", peers, ...framing(request)];
}

/** A body of unknown length goes on as one; without this Node would send none for GET and DELETE. */
function framing(request: IncomingMessage): string[] {
  return request.headers["transfer-encoding"] === undefined ? [] : ["transfer-encoding", "chunked"];
}

function withoutHeaders(message: IncomingMessage, dropped: Set<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index < message.rawHeaders.length; index += 2) {
    const [name = "", value = ""] = message.rawHeaders.slice(index, index + 2);
    if (!dropped.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
}
