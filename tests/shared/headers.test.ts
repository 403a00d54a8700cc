import { describe, expect, test } from "vitest";
import { customHeaderProblem, headerTextProblem } from "../../shared/headers.ts";

const breaks = [
  "a\rb",
  "a\nb",
  "a\r\nBcc: x@y.test",
  "a\u2028b",
  "a\u2029b",
  "a\u0085b",
  "a\0b",
  "a\u007fb",
  "a\tb",
];
const encodedBreaks = [
  "a =?utf-8?Q?=0D=0ABcc:?= b",
  "=?UTF-8?q?a=0ab?=",
  `=?utf-8?B?${btoa("a\r\nBcc: x")}?=`,
];

describe("text that becomes part of a header", () => {
  test.each([...breaks, ...encodedBreaks, "a%0D%0Ab", "a%0d%0aBcc: x"])("%j is refused", (text) => {
    expect(headerTextProblem(text)).toMatch(/^must not contain/);
  });
  test.each(["", "Größe 日本 😀", "50% off", "=?utf-8?Q?caf=C3=A9?=", "=?utf-8?B?not base64!?=", "a%0Ab"])(
    "%j is taken",
    (text) => {
      expect(headerTextProblem(text)).toBeNull();
    },
  );
});

describe("a custom header", () => {
  test.each([
    ..."From To Cc Bcc Subject Date Message-ID Sender Reply-To Return-Path Received DKIM-Signature".split(
      " ",
    ),
    ..."MIME-Version In-Reply-To References Content-Type Content-Transfer-Encoding Content-Foo".split(" "),
    ..."Resent-From Resent-Bcc ARC-Seal ARC-Message-Signature Authentication-Results bCC rEsEnT-tO".split(
      " ",
    ),
  ])("%s is set by Mailpipe", (name) => {
    expect(customHeaderProblem(name, "x")).toBe("is set by Mailpipe and cannot be chosen");
  });

  test.each(["", "a b", "a:b", "Bcc:", "Bcc ", "größe", "a\r\nb", "a\0", "x".repeat(77)])(
    "%j is no name",
    (name) => {
      expect(customHeaderProblem(name, "x")).toMatch(/^is not a header name/);
    },
  );

  test.each([...breaks, ...encodedBreaks, "", "  ", "x".repeat(999)])("the value %j is refused", (value) => {
    expect(customHeaderProblem("X-A", value)).toMatch(/^must/);
  });

  test("what lists and automatic mail need is taken, percent-encoded line breaks in a URL included", () => {
    expect(customHeaderProblem("List-Unsubscribe", "<mailto:u@x.test?body=a%0D%0Ab>, <https://x.test/u>"))
      .toBeNull();
    expect(customHeaderProblem("Auto-Submitted", "auto-generated")).toBeNull();
    expect(customHeaderProblem("X-Umlaut", "Größe 😀")).toBeNull();
  });
});
