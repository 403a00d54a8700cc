import dns from "node:dns";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { checkDestination, EgressFailed, egressFetch, EgressRefused } from "../../shared/egress.ts";
import { makeCertificate, type TestCertificate, trust } from "../support/certificates.ts";
import { closeListeners, listen, resolveTo, witness } from "../support/witnesses.ts";

const request = { method: "POST", headers: {}, deadlineMs: 5_000, maxBytes: 65_536 };

let certificate: TestCertificate;
let untrust: () => void;

beforeAll(async () => {
  certificate = await makeCertificate(["hooks.test", "127.0.0.1"]);
  untrust = trust(certificate.authority);
});
afterAll(() => untrust());

beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
});
afterEach(() => {
  closeListeners();
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function allow(ranges: string): void {
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", ranges);
}

function web(handler: http.RequestListener, host?: string, port?: number) {
  return listen(https.createServer({ cert: certificate.cert, key: certificate.key }, handler), host, port);
}

async function failure(url: string, changes = {}): Promise<EgressFailed> {
  const error = await egressFetch(url, { ...request, ...changes }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EgressFailed);
  return error as EgressFailed;
}

async function refusal(url: string): Promise<string> {
  const error = await egressFetch(url, request).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EgressRefused);
  return (error as EgressRefused).code;
}

describe("what is refused before anything is resolved", () => {
  test.each([
    ["ftp://hooks.test/", "https_required"],
    ["file:///etc/passwd", "https_required"],
    ["https://user:secret@hooks.test/", "userinfo"],
    ["https://user@hooks.test/", "userinfo"],
    ["https://", "invalid_url"],
    ["hooks.test", "invalid_url"],
    ["https://hooks.test/\r\nx", "invalid_url"],
    [" https://hooks.test/", "invalid_url"],
  ])("%j is %s", async (url, code) => {
    const lookup = resolveTo(["93.184.215.14"]);
    expect(await refusal(url)).toBe(code);
    expect(lookup).not.toHaveBeenCalled();
  });

  test("plain http to a public address is refused, to an address the operator opened it is not", async () => {
    resolveTo(["93.184.215.14"]);
    expect(await refusal("http://hooks.test/")).toBe("https_required");
    allow("127.0.0.0/8");
    const { port } = await listen(http.createServer((_, response) => response.end("ok")));
    expect((await egressFetch(`http://127.0.0.1:${port}/`, request)).status).toBe(200);
  });

  test("the project's own host is open where the operator opened its address", async () => {
    allow("127.0.0.0/8");
    vi.stubEnv("SUPABASE_URL", "http://127.0.0.1:54321");
    await expect(checkDestination("http://127.0.0.1:4000/hook")).resolves.toBeUndefined();
  });

  test("a range the operator wrote wrongly is named, not ignored", async () => {
    allow("127.0.0.0/8,loopback");
    await expect(checkDestination("https://127.0.0.1/")).rejects.toThrow(
      '"loopback" is not an address range',
    );
  });
});

describe("one call", () => {
  beforeEach(() => allow("127.0.0.0/8"));

  test("brings status, headers, body and time, and sends what was given", async () => {
    let seen = "";
    const { port } = await web((incoming, response) => {
      incoming.setEncoding("utf8").on("data", (chunk: string) => (seen += chunk)).on("end", () => {
        seen += ` ${incoming.method} ${incoming.headers["x-mine"]}`;
        response.writeHead(201, { "X-Answer": ["a", "b"] }).end("done");
      });
    });
    resolveTo(["127.0.0.1"]);
    const answer = await egressFetch(`https://hooks.test:${port}/in`, {
      ...request,
      headers: { "x-mine": "1" },
      body: "hi",
    });
    expect(seen).toBe("hi POST 1");
    expect(answer).toMatchObject({ status: 201, truncated: false, headers: { "x-answer": "a, b" } });
    expect(new TextDecoder().decode(answer.body)).toBe("done");
    expect(answer.duration_ms).toBeGreaterThanOrEqual(0);
  });

  test("never follows a redirect", async () => {
    const { port: inner, connections } = await witness();
    for (const status of [301, 302, 303, 307, 308]) {
      const { port } = await web((_, response) =>
        response.writeHead(status, { location: `https://127.0.0.1:${inner}/` }).end()
      );
      expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({
        failure: "redirect",
        sent: true,
        status,
      });
    }
    expect(connections()).toBe(0);
  });

  test("reads a limited part of an endless body and says so", async () => {
    const { port } = await web((_, response) => {
      const feed = (): void =>
        void (response.destroyed || response.write(Buffer.alloc(65_536, 97), () => setImmediate(feed)));
      feed();
    });
    const answer = await egressFetch(`https://127.0.0.1:${port}/`, { ...request, maxBytes: 100_000 });
    expect(answer).toMatchObject({ status: 200, truncated: true });
    expect(answer.body.length).toBe(100_000);
  });

  test("a body of exactly the limit is whole", async () => {
    const { port } = await web((_, response) => response.end(Buffer.alloc(1000)));
    const answer = await egressFetch(`https://127.0.0.1:${port}/`, { ...request, maxBytes: 1000 });
    expect([answer.body.length, answer.truncated]).toEqual([1000, false]);
  });

  test("the next checked address is tried when the first does not answer", async () => {
    const { port } = await web((_, response) => response.end("second"), "127.0.0.3");
    resolveTo(["127.0.0.2", "127.0.0.3"]);
    const answer = await egressFetch(`https://hooks.test:${port}/`, request);
    expect(new TextDecoder().decode(answer.body)).toBe("second");
  });

  test("a header that HTTP cannot carry is refused", async () => {
    const { port, connections } = await witness();
    const error = await egressFetch(`http://127.0.0.1:${port}/`, {
      ...request,
      headers: { "x-a": "b\r\nc: d" },
    }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "invalid_request" });
    expect(connections()).toBe(0);
  });
});

describe("failures are told apart, with whether the peer may have seen the request", () => {
  beforeEach(() => allow("127.0.0.0/8"));

  test("a name that does not resolve", async () => {
    vi.spyOn(dns.promises, "lookup").mockRejectedValue(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    expect(await failure("https://nowhere.test/")).toMatchObject({ failure: "dns", sent: false });
    await expect(checkDestination("https://nowhere.test/")).rejects.toThrow("nowhere.test does not resolve");
  });

  test("a connection refused", async () => {
    const { port, server } = await listen(net.createServer());
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({
      failure: "connect_refused",
      sent: false,
    });
  });

  test("a certificate for another name", async () => {
    const { port } = await web((_, response) => response.end());
    resolveTo(["127.0.0.1"]);
    expect(await failure(`https://other.test:${port}/`)).toMatchObject({ failure: "tls", sent: false });
  });

  test("a certificate out of date, and one nobody vouches for", async () => {
    const expired = await makeCertificate(["127.0.0.1"], { expired: true });
    const stranger = await makeCertificate(["127.0.0.1"]);
    const stop = trust(expired.authority);
    for (const { cert, key } of [expired, stranger]) {
      const { port } = await listen(https.createServer({ cert, key }));
      expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({ failure: "tls", sent: false });
    }
    stop();
  });

  test("a server that speaks only TLS 1.1, also where the process would take that", async () => {
    const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
    Object.assign(tls, { DEFAULT_MIN_VERSION: "TLSv1", DEFAULT_CIPHERS: "DEFAULT@SECLEVEL=0" });
    const { cert, key } = certificate;
    const old = {
      cert,
      key,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    } as const;
    const { port } = await listen(tls.createServer(old));
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({ failure: "tls", sent: false });
    Object.assign(tls, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS });
  });

  test("a name server that does not answer is left at the deadline", async () => {
    vi.spyOn(dns.promises, "lookup").mockReturnValue(new Promise(() => undefined) as never);
    expect(await failure("https://hooks.test/", { deadlineMs: 50 })).toMatchObject({
      failure: "timeout",
      sent: false,
    });
  });

  test("a connection lost after the request", async () => {
    const { port } = await web((incoming) => incoming.socket.destroy());
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatchObject({ failure: "reset", sent: true });
  });

  test("an answer that is not HTTP", async () => {
    const { port } = await listen(net.createServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n")));
    expect(await failure(`http://127.0.0.1:${port}/`)).toMatchObject({ failure: "reset", sent: true });
  });
});
