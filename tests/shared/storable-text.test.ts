import { expect, test } from "vitest";
import { storableLine, storableText } from "../../shared/storable-text.ts";

test("what Postgres refuses is taken out and everything else stays", () => {
  expect(storableText("a\0b\ud800c\udc00d 😀\r\n\t\u0001")).toBe("abcd 😀\r\n\t\u0001");
  expect(storableText("\udc00\ud800")).toBe("");
  expect(storableText("\ud83d\ud83d\ude00")).toBe("😀");
});

test("a line has no breaks, no controls and no more than its length, whole characters only", () => {
  expect(storableLine(" a\r\n\tb\u2028c\0d\u007f ", 20)).toBe("a b cd");
  expect(storableLine("😀😀", 3)).toBe("😀");
});
