import { describe, expect, test } from "vitest";
import { mintKey } from "../../shared/keys.ts";
import { misplacedKeys, refuseMisplacedKeys } from "../../shared/misplaced-keys.ts";

const key = mintKey("live").plain;
const at = (path: string, headers: Record<string, string> = {}) =>
  new Request(`http://127.0.0.1/${path}`, { headers });

describe("a key is misplaced", () => {
  test.each([
    ["in the query", at(`whoami?key=${key}`)],
    ["in the query's name", at(`whoami?${key}=1`)],
    ["percent-encoded", at(`whoami?key=${key.replaceAll("_", "%5f")}`)],
    ["beside a percent that encodes nothing", at(`whoami?a=%zz&key=${key}`)],
    [
      "percent-encoded, beside a percent that encodes nothing",
      at(`whoami?a=%zz&key=${key.replaceAll("_", "%5f")}`),
    ],
    ["percent-encoded, beside bytes that are no UTF-8", at(`whoami?a=%ff&key=${key.replaceAll("_", "%5f")}`)],
    ["after the host's port", new Request(`http://127.0.0.1:80/?${key}`)],
    ["in the path", at(`messages/${key}`)],
    ["in the user name", at("whoami", { referer: `https://${key}@app.example/` })],
    ["in a header", at("whoami", { "x-api-key": key })],
    ["in a header, after a scheme", at("whoami", { apikey: `Bearer ${key}` })],
    ["in a header, percent-encoded", at("whoami", { cookie: `k=${key.replaceAll("_", "%5F")}` })],
    [
      "every letter encoded, beside a bad escape",
      at(
        `whoami?a=%zz&key=${[...key].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("")}`,
      ),
    ],
    ["in two places, once", at(`whoami?key=${key}`, { "x-api-key": key })],
  ])("%s", (_, request) => {
    expect(misplacedKeys(request)).toEqual([key]);
    expect(() => refuseMisplacedKeys(request)).toThrow("key_misplaced");
  });

  test("each of them", () => {
    const other = mintKey("test").plain;
    expect(misplacedKeys(at(`whoami?a=${key}&b=${other}`))).toEqual([key, other]);
  });

  test("and none of it is told", () => {
    const request = at(`whoami?key=${key}`);
    expect(() => refuseMisplacedKeys(request)).toThrow(expect.objectContaining({ particulars: undefined }));
  });

  test("also when it is mistyped", () => {
    expect(misplacedKeys(at(`whoami?key=mp_test_${"a".repeat(38)}`))).toHaveLength(1);
  });
});

describe("nothing is misplaced", () => {
  test.each([
    ["in the Authorization header", at("whoami", { authorization: `Bearer ${key}` })],
    ["in an id", at(`messages/msg_${"0".repeat(26)}?thread_id=thr_${"0".repeat(26)}`)],
    ["in a key that was cut", at(`whoami?key=${key.slice(0, -1)}`)],
    ["in the body", new Request("http://127.0.0.1/whoami", { method: "POST", body: key })],
    ["in a prefix alone", at("whoami?environment=mp_live_")],
    ["in a longer run", at(`whoami?key=${key}a`)],
    ["in a publishable key", at("whoami", { apikey: `sb_publishable_${"a".repeat(40)}` })],
  ])("%s", (_, request) => {
    expect(misplacedKeys(request)).toEqual([]);
    refuseMisplacedKeys(request);
  });
});
