import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the stand-in got it. */
export interface StandInCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** A server on loopback that plays somebody else's part and remembers who asked what. */
export interface StandIn {
  url: string;
  calls: StandInCall[];
  close(): Promise<void>;
}

async function read(request: IncomingMessage): Promise<StandInCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers as Record<string, string>,
    body: Buffer.concat(chunks).toString(),
  };
}

/** Starts one; `answer` says what it answers to each call. The caller closes it, with every connection it holds. */
export async function startStandIn(
  answer: (call: StandInCall, response: ServerResponse) => void,
): Promise<StandIn> {
  const calls: StandInCall[] = [];
  const server = http.createServer((request, response) => {
    void read(request).then((call) => {
      calls.push(call);
      answer(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers with JSON. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
