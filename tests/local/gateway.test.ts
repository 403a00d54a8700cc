import { once } from "node:events";
import { createServer, type IncomingMessage, request as httpRequest, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { join } from "node:path";
import { type FunctionsHost, startFunctions } from "../../supabase/local/functions.ts";
import { type Gateway, openGateway } from "../../supabase/local/gateway.ts";
import { listen } from "../../supabase/local/ports.ts";
import { makeProject, type Project } from "./project.ts";

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** node:http rather than fetch, which refuses some headers and unpacks bodies. */
async function send(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Answer> {
  const request = httpRequest({ host: "127.0.0.1", port, path, method, headers });
  request.end();
  const [answer] = await once(request, "response") as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}

let gateway: Gateway;
let functions: Server;
let seen: { method: string | undefined; url: string | undefined; headers: Record<string, unknown> };

beforeEach(async () => {
  functions = createServer((request, response) => {
    seen = { method: request.method, url: request.url, headers: request.headersDistinct };
    if (request.url === "/packed") response.setHeader("content-encoding", "gzip").end(gzipSync("packed"));
    else if (request.url === "/echo") request.pipe(response);
    else response.end("a function's");
  });
  const port = await listen(functions, 0);
  gateway = await openGateway(0);
  const handler = async (request: Request) =>
    Response.json({ path: new URL(request.url).pathname, body: await request.text() });
  gateway.open({ functionsPort: () => port, handlers: { "/rest/v1": handler } });
});
afterEach(async () => {
  await gateway.close();
  functions.closeAllConnections();
  functions.close();
});

describe("the gateway", () => {
  it("hands a function the path from its slug on, and every method, OPTIONS included", async () => {
    const answer = await send(gateway.port, "/functions/v1/issue-key/a?b=c", {}, "OPTIONS");
    expect(answer).toMatchObject({ status: 200, body: "a function's" });
    expect(seen).toMatchObject({ method: "OPTIONS", url: "/issue-key/a?b=c" });
  });

  it("appends the peer to x-forwarded-for and leaves x-forwarded-proto as it came, or absent", async () => {
    await send(gateway.port, "/functions/v1/x", {
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-proto": "http",
    });
    expect(seen.headers["x-forwarded-for"]).toEqual(["203.0.113.9, 127.0.0.1"]);
    expect(seen.headers["x-forwarded-proto"]).toEqual(["http"]);

    await send(gateway.port, "/functions/v1/x");
    expect(seen.headers["x-forwarded-for"]).toEqual(["127.0.0.1"]);
    expect(seen.headers).not.toHaveProperty("x-forwarded-proto");
  });

  it("passes packed answers on as they are", async () => {
    const answer = await send(gateway.port, "/functions/v1/packed");
    expect(answer.headers["content-encoding"]).toBe("gzip");
    expect(await (await fetch(`http://127.0.0.1:${gateway.port}/functions/v1/packed`)).text()).toBe("packed");
  });

  it("streams: the first bytes are answered before the last are sent", async () => {
    const request = httpRequest({
      host: "127.0.0.1",
      port: gateway.port,
      path: "/functions/v1/echo",
      method: "POST",
    });
    request.write("first");
    const [answer] = await once(request, "response") as [IncomingMessage];
    const [chunk] = await once(answer, "data") as [Buffer];
    expect(String(chunk)).toBe("first");
    request.end(" last");
    expect(await text(answer)).toBe(" last");
  });

  it("hands the other services the whole path, with the body", async () => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}/rest/v1/rpc/x`, {
      method: "POST",
      body: "{}",
    });
    expect(await answer.json()).toEqual({ path: "/rest/v1/rpc/x", body: "{}" });
  });

  it.each(["/", "/functions/v10/x", "/rest/v1x", "/storage/v1/object"])(
    "answers %s with a JSON 404",
    async (path) => {
      const answer = await send(gateway.port, path);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "not_found" });
    },
  );

  it("answers 503 before the stack is there and while the functions are not, 502 where they break off", async () => {
    const early = await openGateway(0);
    expect((await send(early.port, "/rest/v1/x")).status).toBe(503);
    early.open({ functionsPort: () => undefined, handlers: {} });
    expect((await send(early.port, "/functions/v1/x")).status).toBe(503);
    await early.close();

    functions.removeAllListeners("request").on("request", (request) => request.socket.destroy());
    expect((await send(gateway.port, "/functions/v1/x")).status).toBe(502);
  });

  it("says in one sentence that its port is in use", async () => {
    await expect(openGateway(gateway.port)).rejects.toThrow(
      `Port ${gateway.port} is in use: stop what listens there, or set MAILPIPE_PORT to another port.`,
    );
  });
});

describe("the gateway in front of Deno", () => {
  const REFUSES = `export default { async fetch(request: Request) {
    if (new URL(request.url).pathname !== "/refuses/unread") {
      for await (const chunk of request.body ?? []) if (chunk.length > 0) break;
    }
    return new Response("too large", { status: 413 });
  } };`;
  let project: Project;
  let host: FunctionsHost;

  beforeAll(async () => {
    project = await makeProject({ refuses: REFUSES });
    const [logFile, cacheFolder] = [join(project.root, "functions.log"), join(project.root, "deno")];
    host = await startFunctions({ root: project.root, logFile, cacheFolder, environment: {} });
  });
  afterAll(async () => {
    await host.stop();
    await project.remove();
  });

  it.each(["unread", "half-read"])(
    "a refusal of a 20 MiB body that was left %s arrives, every time",
    async (what) => {
      gateway.open({ functionsPort: host.port, handlers: {} });
      const url = `http://127.0.0.1:${gateway.port}/functions/v1/refuses/${what}`;
      const body = new Uint8Array(20 * 1024 * 1024);
      for (let time = 0; time < 5; time++) {
        const answer = await fetch(url, { method: "POST", body });
        expect([answer.status, await answer.text()]).toEqual([413, "too large"]);
      }
    },
  );
});
