import http from "node:http";
import https from "node:https";
import net from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type EgressAnswer, EgressFailed, egressFetch } from "../../shared/egress.ts";
import { makeCertificate, trust } from "../support/certificates.ts";
import { drip, pour } from "../support/raw-answers.ts";
import { closeListeners, listen } from "../support/witnesses.ts";

const MiB = 1024 * 1024;
const request = { method: "POST", body: "hi", deadlineMs: 5_000, maxBytes: 65_536 };

beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterEach(() => {
  closeListeners();
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

/** A peer that does as told once it has the beginning of the request; its URL. */
async function peer(act: (socket: net.Socket) => void): Promise<string> {
  const { port } = await listen(net.createServer((socket) => socket.once("data", () => act(socket))));
  return `http://127.0.0.1:${port}/`;
}

/** A peer that answers these bytes; it hangs up then unless told to wait. */
function answering(text: string | Buffer, end = true): Promise<string> {
  return peer((socket) => void (end ? socket.end(text) : socket.write(text)));
}

async function failure(url: string, changes = {}): Promise<EgressFailed> {
  const error = await egressFetch(url, { ...request, ...changes }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EgressFailed);
  return error as EgressFailed;
}

/** What a peer that pours after a head came to, and how much of it was taken. */
async function poured(
  head: string,
  more: string,
  changes = {},
): Promise<[EgressAnswer | EgressFailed, number]> {
  let taken = (): number => 0;
  const url = await peer((socket) => {
    socket.write(head);
    taken = pour(socket, more);
  });
  const outcome = await egressFetch(url, { ...request, ...changes }).catch((error: EgressFailed) => error);
  return [outcome, taken()];
}

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}transfer-encoding: chunked\r\n\r\n`;

describe("15 seconds in all", () => {
  async function heldBack(): Promise<[Promise<EgressAnswer | EgressFailed>, http.ServerResponse]> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let arrived: (response: http.ServerResponse) => void;
    const arrival = new Promise<http.ServerResponse>((resolve) => (arrived = resolve));
    const { port } = await listen(http.createServer((_, response) => arrived(response)));
    const calling = egressFetch(`http://127.0.0.1:${port}/`, { ...request, deadlineMs: 15_000 }).catch(
      (error: EgressFailed) => error,
    );
    return [calling, await arrival];
  }

  test("an answer after 14.9 s is taken", async () => {
    const [calling, response] = await heldBack();
    vi.advanceTimersByTime(14_900);
    response.end("late");
    expect(await calling).toMatchObject({ status: 200 });
  });

  test("none after 15 s is not waited for", async () => {
    const [calling] = await heldBack();
    vi.advanceTimersByTime(15_000);
    expect(await calling).toMatchObject({ failure: "timeout", sent: true, status: null });
  });

  test.each<[string, (socket: net.Socket) => void, object]>([
    [
      "the header a byte at a time",
      (socket) => drip(socket, `${ok}x-slow: ${"y".repeat(10_000)}`),
      { failure: "timeout", sent: true, status: null },
    ],
    [
      "the body a byte at a time",
      (socket) => (socket.write(`${ok}content-length: 10000\r\n\r\n`), drip(socket, "y".repeat(10_000))),
      { failure: "too_slow", sent: true, status: 200 },
    ],
    [
      "nothing of the body it announced",
      (socket) => socket.write("HTTP/1.1 202 OK\r\ncontent-length: 1\r\n\r\n"),
      { failure: "too_slow", sent: true, status: 202 },
    ],
    ["nothing", () => undefined, { failure: "timeout", sent: true, status: null }],
  ])("a peer that sends %s is left at the deadline", async (_, act, expected) => {
    const started = performance.now();
    expect(await failure(await peer(act), { deadlineMs: 300 })).toMatchObject(expected);
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  test("a peer that takes the connection and hangs in the handshake is left at the deadline", async () => {
    const { port } = await listen(net.createServer());
    const started = performance.now();
    expect(await failure(`https://127.0.0.1:${port}/`, { deadlineMs: 300 })).toMatchObject({
      failure: "timeout",
      sent: false,
    });
    expect(performance.now() - started).toBeLessThan(1_500);
  });
});

describe("an answer without an end", () => {
  test.each([
    ["1 GB by its length", `${ok}content-length: 1073741824\r\n\r\n`, "y".repeat(65_536)],
    ["without a length", `${ok}\r\n`, "y".repeat(65_536)],
    ["in endless chunks", chunked, `8000\r\n${"y".repeat(32_768)}\r\n`],
    ["in endless chunks of a byte", chunked, "1\r\ny\r\n".repeat(1_000)],
  ])("%s is read up to the limit and no further", async (_, head, more) => {
    const [answer, taken] = await poured(head, more);
    expect(answer).toMatchObject({ status: 200, truncated: true });
    expect((answer as EgressAnswer).body).toHaveLength(65_536);
    expect(taken).toBeLessThan(4 * MiB);
  });

  test.each([
    ["in its header", ok, `x: ${"y".repeat(1_000)}\r\n`, null, MiB],
    ["in one header", `${ok}x: `, "y".repeat(65_536), null, MiB],
    ["in its reason phrase", "HTTP/1.1 200 ", "y".repeat(65_536), null, 10 * MiB],
    ["before it begins", "", "\r\n".repeat(32_768), null, 10 * MiB],
    ["of 1xx answers", "", "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(1_000), null, 10 * MiB],
    ["in a chunk's extension", `${chunked}5;`, "y".repeat(65_536), 200, 10 * MiB],
    ["in its trailers", `${chunked}0\r\n`, `x: ${"y".repeat(1_000)}\r\n`, 200, MiB],
  ])("%s is left", async (_, head, more, status, most) => {
    const [outcome, taken] = await poured(head, more);
    expect(outcome).toMatchObject({ failure: "reset", sent: true, status });
    expect(taken).toBeLessThan(most);
  });

  test("of a redirect is not read", async () => {
    const head = "HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1/\r\ntransfer-encoding: chunked\r\n\r\n";
    const [outcome, taken] = await poured(head, `8000\r\n${"y".repeat(32_768)}\r\n`);
    expect(outcome).toMatchObject({ failure: "redirect", status: 307 });
    expect(taken).toBeLessThan(4 * MiB);
  });

  test("of 1 GB over TLS is not fetched either", async () => {
    const certificate = await makeCertificate(["127.0.0.1"]);
    const untrust = trust(certificate.authority);
    let taken = (): number => 0;
    const { port } = await listen(https.createServer(certificate, (_, response) => {
      response.writeHead(200, { "content-length": 1024 * MiB }).flushHeaders();
      if (response.socket) taken = pour(response.socket, "y".repeat(65_536));
    }));
    expect(await egressFetch(`https://127.0.0.1:${port}/`, request)).toMatchObject({ truncated: true });
    expect(taken()).toBeLessThan(4 * MiB);
    untrust();
  });

  test("is not what a large one is: a whole body of several MiB in chunks of 1 KiB is taken", async () => {
    const whole = `400\r\n${"y".repeat(1_024)}\r\n`.repeat(6_000);
    const answer = await egressFetch(await answering(`${chunked}${whole}0\r\n\r\n`), {
      ...request,
      maxBytes: 6 * MiB,
    });
    expect([answer.body.length, answer.truncated]).toEqual([6_000 * 1_024, false]);
  });
});

describe("what an answer is made of", () => {
  test("a compressed one is not asked for and not inflated", async () => {
    let accepted: string | undefined;
    for (
      const [encoding, pack] of [["gzip", gzipSync], ["br", brotliCompressSync], [
        "deflate",
        deflateSync,
      ]] as const
    ) {
      const bomb = pack(Buffer.alloc(16 * MiB));
      const { port } = await listen(http.createServer((incoming, response) => {
        accepted = incoming.headers["accept-encoding"];
        response.writeHead(200, { "content-encoding": encoding }).end(bomb);
      }));
      const answer = await egressFetch(`http://127.0.0.1:${port}/`, request);
      expect(Buffer.from(answer.body).equals(bomb)).toBe(true);
    }
    expect(accepted).toBeUndefined();
  });

  test("bytes that are no text come as they were sent", async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0xed, 0xa0, 0x80, 0x41]);
    const url = await answering(
      Buffer.concat([Buffer.from(`${ok}x: \xe9\r\ncontent-length: 7\r\n\r\n`, "latin1"), bytes]),
    );
    const answer = await egressFetch(url, request);
    expect(Buffer.from(answer.body).equals(bytes)).toBe(true);
    expect(JSON.stringify(answer.headers)).toContain('"x":');
  });

  test.each([
    ["204 has no body, whatever follows", "HTTP/1.1 204 No Content\r\n\r\nextra", 204, ""],
    [
      "206 is a part",
      "HTTP/1.1 206 Partial\r\ncontent-range: bytes 0-1/5\r\ncontent-length: 2\r\n\r\nab",
      206,
      "ab",
    ],
    ["HTTP/1.0 ends with the connection", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello"],
    [
      "102 and 103 are passed over",
      `HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\n\r\n${ok}content-length: 2\r\n\r\nab`,
      200,
      "ab",
    ],
    [
      "a header may be named like a property",
      `${ok}__proto__: x\r\nconstructor: y\r\ncontent-length: 0\r\n\r\n`,
      200,
      "",
    ],
  ])("%s", async (_, text, status, body) => {
    const answer = await egressFetch(await answering(text), request);
    expect([answer.status, new TextDecoder().decode(answer.body), answer.truncated]).toEqual([
      status,
      body,
      false,
    ]);
  });

  test.each([
    // Undici takes no 100 it did not ask for; it never asks, as it sends no expect header.
    ["100 Continue nobody asked for", `HTTP/1.1 100 Continue\r\n\r\n${ok}content-length: 0\r\n\r\n`],
    ["101 Switching Protocols", "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"],
    ["a length and chunks", `${ok}content-length: 10\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a length that is no number", `${ok}content-length: 99999999999999999999999\r\n\r\nabc`],
    ["NUL in a header", `${ok}x: a\0b\r\ncontent-length: 0\r\n\r\n`],
    ["HTTP/0.9", "hello"],
    ["nothing", ""],
  ])("%s is no answer", async (_, text) => {
    expect(await failure(await answering(text))).toMatchObject({
      failure: "reset",
      sent: true,
      status: null,
    });
  });
});

describe("a 2xx whose answer is then cut is a failure that carries the status: asking again is at least once", () => {
  test.each([
    ["short of its length", `${ok}content-length: 10\r\n\r\nhe`],
    ["short of its length, to be closed", `${ok}connection: close\r\ncontent-length: 10\r\n\r\nhe`],
    ["within a chunk", `${chunked}5\r\nhe`],
    ["between chunks", `${chunked}5\r\nhello\r\n`],
  ])("%s, by a close or a reset", async (_, text) => {
    const closed = await answering(text);
    const reset = await peer((socket) =>
      socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 30))
    );
    for (const url of [closed, reset]) {
      expect(await failure(url)).toMatchObject({ failure: "reset", sent: true, status: 200 });
    }
  });

  test("but not when more was not going to be read", async () => {
    const url = await answering(`${ok}content-length: 10\r\n\r\nhello`);
    expect(await egressFetch(url, { ...request, maxBytes: 2 })).toMatchObject({
      status: 200,
      truncated: true,
    });
  });
});
