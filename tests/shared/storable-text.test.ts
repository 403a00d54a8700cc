import { expect, test } from "vitest";
import { storableText } from "../../shared/storable-text.ts";

test("what Postgres refuses is taken out and everything else stays", () => {
  expect(storableText("a\0b\ud800c\udc00d 😀\r\n\t\u0001")).toBe("abcd 😀\r\n\t\u0001");
  expect(storableText("\udc00\ud800")).toBe("");
  expect(storableText("\ud83d\ud83d\ude00")).toBe("😀");
});
