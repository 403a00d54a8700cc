import { describe, expect, test } from "vitest";
import { defaultCap, readBytes, readJson } from "../../shared/request-body.ts";

const url = "https://project.example/x";
const tooLarge = { code: "payload_too_large" };

function post(body: BodyInit | null, headers: Record<string, string> = {}): Request {
  return new Request(url, { method: "POST", body, headers, duplex: "half" } as RequestInit);
}

/** A body far beyond any cap here, bounded for a reader that never leaves; `sent` counts what was asked of it. */
function endless(chunkBytes: number) {
  const seen = { sent: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      seen.sent += chunkBytes;
      if (seen.sent > 1000 * chunkBytes) return controller.close();
      controller.enqueue(new Uint8Array(chunkBytes));
    },
    cancel() {
      seen.cancelled = true;
      // A sender that does not stop: whoever waits for it waits for ever.
      return new Promise(() => undefined);
    },
  });
  return { stream, seen };
}

describe("a body", () => {
  test("of exactly the cap is read whole, in order", async () => {
    const parts = [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(3), Uint8Array.of(4, 5)];
    const stream = new ReadableStream({
      start(controller) {
        for (const part of parts) controller.enqueue(part);
        controller.close();
      },
    });
    expect([...await readBytes(post(stream), 5)]).toEqual([1, 2, 3, 4, 5]);
    expect([...await readBytes(post(new Uint8Array(5).fill(7)), 5)]).toEqual([7, 7, 7, 7, 7]);
  });

  test("that is absent or empty is no bytes", async () => {
    expect((await readBytes(new Request(url), 5)).length).toBe(0);
    expect((await readBytes(post(""), 5)).length).toBe(0);
  });

  test("whose length says too much is refused before a byte is read", async () => {
    const request = post(endless(1).stream, { "content-length": "6" });
    await expect(readBytes(request, 5)).rejects.toMatchObject({
      ...tooLarge,
      particulars: "at most 5 bytes",
    });
    expect(request.bodyUsed).toBe(false);
  });

  test.each(["0", "5", "-1", "x", "", "1e0"])(
    "that is longer than its length of %j is counted",
    async (length) => {
      const request = post(new Uint8Array(6), { "content-length": length });
      await expect(readBytes(request, 5)).rejects.toMatchObject(tooLarge);
    },
  );

  test("without end is left once it is over the cap, without waiting for its sender", async () => {
    const { stream, seen } = endless(1000);
    await expect(readBytes(post(stream), 10_000)).rejects.toMatchObject(tooLarge);
    expect(seen.cancelled).toBe(true);
    expect(seen.sent).toBeLessThanOrEqual(13_000);
  });

  test("may weigh a mebibyte where a route says nothing else", () => {
    expect(defaultCap).toBe(1_048_576);
  });
});

describe("JSON", () => {
  const json = (body: BodyInit, type = "application/json") => post(body, { "content-type": type });

  test.each([["{}", {}], ['[1,"é"]', [1, "é"]], [' {"a":null}\n', { a: null }]])(
    "%s is read",
    async (text, value) => {
      expect(await readJson(json(text), 100)).toEqual(value);
    },
  );

  test("may name its character set, in any case", async () => {
    expect(await readJson(json("{}", "Application/JSON ; charset=utf-8"), 100)).toEqual({});
  });

  test.each(["", "{", "null", "1", '"text"', "true", "undefined", "{'a':1}", "{}{}"])(
    "%j is no object and no array",
    async (text) => {
      await expect(readJson(json(text), 100)).rejects.toMatchObject({ code: "invalid_json" });
    },
  );

  test.each([
    ["half a character", [0x22, 0xc3, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["a surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["Latin-1", [0x22, 0xe9, 0x22]],
  ])("is refused as such with %s in it, not repaired", async (_, bytes) => {
    const body = Uint8Array.from([0x5b, ...bytes, 0x5d]);
    await expect(readJson(json(body), 100)).rejects.toMatchObject({ code: "invalid_json" });
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "application/merge-patch+json",
  ])(
    "sent as %s is refused by its type",
    async (type) => {
      await expect(readJson(json("{}", type), 100)).rejects.toMatchObject({ code: "unsupported_media_type" });
    },
  );

  test("without a type is refused by it, and over the cap by its size", async () => {
    await expect(readJson(post(new TextEncoder().encode("{}")), 100)).rejects.toMatchObject({
      code: "unsupported_media_type",
    });
    await expect(readJson(json('{"a":1}'), 6)).rejects.toMatchObject(tooLarge);
  });
});
