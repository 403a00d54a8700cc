import { expect, test } from "vitest";
import { readIdempotencyKey } from "../../shared/idempotency-key.ts";

function read(key: string): string | null {
  return readIdempotencyKey(new Request("https://project.example", { headers: { "idempotency-key": key } }));
}

test("no header is no key", () => {
  expect(readIdempotencyKey(new Request("https://project.example"))).toBeNull();
});

test.each(["a", "!", "~", "order-42/retry:1", "x".repeat(256)])("%j is a key, as written", (key) => {
  expect(read(key)).toBe(key);
});

test.each([["empty"], ["x".repeat(257)], ["a b"], ["a\tb"], ["é"], ["a, b"]])("%j is refused", (key) => {
  expect(() => read(key === "empty" ? "" : key)).toThrow(
    expect.objectContaining({
      code: "invalid_header",
      particulars: expect.stringContaining("Idempotency-Key"),
    }),
  );
});
