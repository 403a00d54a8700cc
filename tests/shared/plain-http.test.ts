import { expect, test } from "vitest";
import { refusePlainHttp } from "../../shared/plain-http.ts";

const refused = (url: string, proto?: string) => () =>
  refusePlainHttp(new Request(url, proto === undefined ? {} : { headers: { "x-forwarded-proto": proto } }));

test.each<[string, string | undefined]>([
  ["https://example.com/", undefined],
  ["http://example.com/", "https"],
  ["http://example.com/", "HTTPS, http"],
  ["http://127.0.0.1/", undefined],
  ["http://[::1]/", undefined],
  ["http://127.8.9.1:54321/whoami", undefined],
  ["http://localhost:54321/", undefined],
  ["http://example.com/", " https , http"],
])("%s, forwarded from %s, passes", (url, proto) => {
  refused(url, proto)();
});

test.each<[string, string | undefined]>([
  ["http://example.com/", undefined],
  ["https://example.com/", "http"],
  ["http://127.0.0.1/", "http"],
  ["http://127.0.0.1.example.com/", undefined],
  ["http://localhost.example.com/", undefined],
  ["https://example.com/", "http, https"],
  ["https://example.com/", ""],
  ["https://example.com/", "wss"],
])("%s, forwarded from %s, is https_required", (url, proto) => {
  expect(refused(url, proto)).toThrow("https_required");
});
