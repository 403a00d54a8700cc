import { expect, test } from "vitest";
import { storedHeaders } from "../../shared/stored-headers.ts";

test("a provider's own headers are kept under lower-case names, its signature among them", () => {
  const headers = { "Svix-Id": "msg_1", "svix-signature": "v1,abc", "Content-Type": "application/json" };
  expect(storedHeaders(new Headers(headers))).toEqual({
    "content-type": "application/json",
    "svix-id": "msg_1",
    "svix-signature": "v1,abc",
  });
});

test.each([
  "authorization",
  "Cookie",
  "apikey",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-real-ip",
  "cf-connecting-ip",
  "sb-request-id",
])("%s says who called and is not kept", (name) => {
  expect(storedHeaders(new Headers({ [name]: "secret" }))).toEqual({});
});

test("names that only look like those are kept", () => {
  const headers = { "x-authorization-id": "1", "x-cookie": "2", "x-cf-ray": "3" };
  expect(storedHeaders(new Headers(headers))).toEqual(headers);
});

test("no more than a hundred headers of 16,000 characters are kept", () => {
  const many = new Headers(
    Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`x-${index}`, "v"])),
  );
  expect(Object.keys(storedHeaders(many))).toHaveLength(100);
  const long = storedHeaders(new Headers({ "x-long": "a".repeat(20_000) }));
  expect(long["x-long"]).toHaveLength(16_000);
});
