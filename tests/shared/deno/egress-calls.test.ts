import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loopbackSpellings, specialAddresses } from "../../support/blocked-hosts.ts";
import { makeCertificate, type TestCertificate } from "../../support/certificates.ts";
import { runDeno } from "../../support/deno.ts";
import { drip, pour } from "../../support/raw-answers.ts";
import { closeListeners, listen, witness } from "../../support/witnesses.ts";

const MiB = 1024 * 1024;
const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;
const bomb = gzipSync(Buffer.alloc(16 * MiB));
const expected = { reset: { failed: "reset", sent: true }, large: 65_536 };

let results: Record<string, unknown>;
const taken: Record<string, () => number> = {};
const witnesses: (() => number)[] = [];
const serverNames: unknown[] = [];
let oldHandshakes = 0;

async function port(server: net.Server): Promise<number> {
  return (await listen(server)).port;
}

/** A peer without TLS that does as told once it has the beginning of the request. */
function peer(act: (socket: net.Socket) => void): Promise<number> {
  return port(net.createServer((socket) => socket.once("data", () => act(socket))));
}

function pouring(name: string, head: string, more: string): Promise<number> {
  return peer((socket) => {
    socket.write(head);
    taken[name] = pour(socket, more);
  });
}

function web({ cert, key }: TestCertificate): https.Server {
  return https.createServer({ cert, key }, (call, response) => {
    serverNames.push((call.socket as tls.TLSSocket).servername);
    if (call.url === "/moved") response.writeHead(302, { location: "https://127.0.0.2/" }).end();
    else if (call.url === "/bomb") response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    else response.end("answer");
  });
}

/** On 127.0.0.2 and ::1, which Deno must not reach, also on the port it may reach on 127.0.0.1. */
async function watch(allowed: number): Promise<number> {
  const first = await witness("127.0.0.2");
  const others = [
    await witness("127.0.0.2", allowed),
    await witness("::1", allowed).catch(() => first),
    await witness("::1", first.port).catch(() => first),
    await witness("127.255.255.254", first.port),
    await witness("127.0.0.1", first.port),
  ];
  witnesses.push(first.connections, ...others.map((each) => each.connections));
  return first.port;
}

async function tlsPorts(own: TestCertificate, expired: TestCertificate): Promise<Record<string, number>> {
  const stranger = await makeCertificate(["127.0.0.1"]);
  const old = tls.createServer({
    ...own,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT@SECLEVEL=0",
  }, () => oldHandshakes++);
  const webPort = await port(web(own));
  return {
    web: webPort,
    witness: await watch(webPort),
    expired: await port(https.createServer(expired)),
    stranger: await port(https.createServer(stranger)),
    old: await port(old.on("tlsClientError", () => undefined)),
    silent: await port(net.createServer()),
  };
}

async function rawPorts(): Promise<Record<string, number>> {
  const y = "y".repeat(65_536);
  return {
    never: await peer(() => undefined),
    slowHeader: await peer((socket) => drip(socket, `${ok}x: ${y}`)),
    slowBody: await peer((socket) => (socket.write(`${ok}content-length: 9000\r\n\r\n`), drip(socket, y))),
    huge: await pouring("huge", `${ok}content-length: 1073741824\r\n\r\n`, y),
    chunks: await pouring("chunks", chunked, `8000\r\n${"y".repeat(32_768)}\r\n`),
    header: await pouring("header", ok, `x: ${"y".repeat(1_000)}\r\n`),
    reason: await pouring("reason", "HTTP/1.1 200 ", y),
    informational: await pouring("informational", "", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000)),
    extension: await pouring("extension", `${chunked}5;`, y),
    trailers: await pouring("trailers", `${chunked}0\r\n`, `x: ${"y".repeat(1_000)}\r\n`),
    cut: await peer((socket) => socket.end(`${ok}content-length: 10\r\n\r\nhe`)),
    reset: await peer((socket) =>
      socket.write(`${ok}content-length: 10\r\n\r\nhe`, () => setTimeout(() => socket.resetAndDestroy(), 30))
    ),
  };
}

beforeAll(async () => {
  const own = await makeCertificate(["hooks.test", "rebinding.test", "127.0.0.1"]);
  const expired = await makeCertificate(["127.0.0.1"], { expired: true });
  results = await runDeno(
    "tests/shared/deno/egress-calls.ts",
    { ...await tlsPorts(own, expired), ...await rawPorts() },
    [own.authority, expired.authority],
    { SUPABASE_URL: "https://abcdefghijklmnopqrst.supabase.co", MAILPIPE_EGRESS_ALLOW: "127.0.0.1/32" },
  );
}, 90_000);
afterAll(closeListeners);

function allRefused(hosts: string[]): Record<string, unknown> {
  return Object.fromEntries(hosts.map((host) => [host, "private_address"]));
}

describe("the egress guard under Deno 2.1.4, as hosted", () => {
  test("refuses every spelling of loopback, every special address and every name that leads there", () => {
    expect(results.loopback).toEqual(allRefused(loopbackSpellings));
    expect(results.special).toEqual(allRefused(specialAddresses));
    for (const name of ["mixed", "mixed6", "localhost"]) {
      expect([name, results[name]]).toEqual([name, { refused: "private_address" }]);
    }
  });

  test("refuses the project's own host, a user in the URL and another service's port", () => {
    expect([results.ownHost, results.userinfo, results.port]).toEqual([
      { refused: "own_host" },
      { refused: "userinfo" },
      { refused: "blocked_port" },
    ]);
  });

  test("connects to the address it checked, which a second answer does not change, under the URL's name", () => {
    const answered = { status: 200, bytes: "answer".length, truncated: false };
    expect([results.byName, results.rebinding, results.asked]).toEqual([answered, answered, 1]);
    expect(serverNames.slice(0, 2)).toEqual(["hooks.test", "rebinding.test"]);
  });

  test("does not follow a redirect", () => {
    expect(results.redirect).toEqual({ failed: "redirect", sent: true, status: 302 });
  });

  test("sends nothing to who does not prove the name, or proves it too late, or by nobody's word", () => {
    for (const name of ["otherName", "expired", "stranger"]) {
      expect([name, results[name]]).toEqual([name, { failed: "tls", sent: false, status: null }]);
    }
  });

  test("speaks TLS 1.2 or newer only", () => {
    expect(results.old).toMatchObject({ failed: "tls", status: null });
    expect(oldHandshakes).toBe(0);
  });

  test("leaves at the deadline who hangs, drips or never shakes hands", () => {
    expect(results.handshake).toMatchObject({ failed: "timeout", status: null });
    expect(results.never).toEqual({ failed: "timeout", sent: true, status: null });
    expect(results.slowHeader).toEqual({ failed: "timeout", sent: true, status: null });
    expect(results.slowBody).toEqual({ failed: "too_slow", sent: true, status: 200 });
    expect(results.handshake).not.toHaveProperty("late");
  });

  test("inflates nothing", () => {
    expect(results.bomb).toEqual({ status: 200, bytes: bomb.length, truncated: false });
  });

  test.each(["huge", "chunks"])("reads a part of a body without an end: %s", (name) => {
    expect(results[name]).toEqual({ status: 200, bytes: expected.large, truncated: true });
    expect(taken[name]?.()).toBeLessThan(10 * MiB);
  });

  test.each([
    ["header", null],
    ["reason", null],
    ["informational", null],
    ["extension", 200],
    ["trailers", 200],
  ])("leaves an answer without an end beside its body: %s", (name, status) => {
    expect(results[name]).toEqual({ ...expected.reset, status });
    expect(taken[name]?.()).toBeLessThan(10 * MiB);
  });

  test("tells a 2xx that was cut as a failure with its status", () => {
    expect([results.cut, results.reset]).toEqual([
      { ...expected.reset, status: 200 },
      { ...expected.reset, status: 200 },
    ]);
  });

  test("reached no listener it must not reach", () => {
    expect(witnesses.map((connections) => connections())).toEqual(witnesses.map(() => 0));
  });
});
