import { expect, test } from "vitest";
import { holdsAddress } from "../../shared/address-in-bytes.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test.each([
  "ann@x.test",
  "To: Ann <ANN@X.TEST>\r\n",
  "see ann@x.test.",
  "'ann@x.test'",
  "?to=ann%40x.test&a=b",
  "=0A=\r\nann=40x.test",
  "\u{fffd}\0ann@x.test\u0001",
])("%j holds the address", (text) => expect(holdsAddress(bytes(text), "ann@x.test")).toBe(true));

test.each([
  "joann@x.test",
  "o'ann@x.test",
  "x/ann@x.test",
  "j.ann@x.test",
  "m\u00fcann@x.test",
  "ann+a@x.test",
  "ann@x.test.au",
  "ann@x.tests",
  "ann@xtest",
  "",
])(
  "%j does not",
  (text) => expect(holdsAddress(bytes(text), "ann@x.test")).toBe(false),
);

test("signs of a local part mean themselves", () => {
  expect(holdsAddress(bytes('"a (b"@x.test'), '"a (b"@x.test')).toBe(true);
  expect(holdsAddress(bytes("aXb@x.test"), "a.b@x.test")).toBe(false);
});
