import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One request as the stand-in got it. */
export interface ResendCall {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** A stand-in for Resend's API on loopback. `answer` decides what it says to each call. */
export interface ResendStandIn {
  url: string;
  calls: ResendCall[];
  close: () => Promise<void>;
}

/** Says what the test wants, raw if it must; the call is kept either way. */
export type ResendAnswering = (call: ResendCall, response: ServerResponse) => void;

async function read(request: IncomingMessage): Promise<ResendCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers as Record<string, string>,
    body: text === "" ? undefined : JSON.parse(text) as unknown,
  };
}

/** Answers a call with JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Starts a stand-in that speaks the documented format; the caller closes it. */
export async function startResend(answer: ResendAnswering): Promise<ResendStandIn> {
  const calls: ResendCall[] = [];
  const server = http.createServer((request, response) => {
    void read(request).then((call) => {
      calls.push(call);
      answer(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${port}`, calls, close };
}
