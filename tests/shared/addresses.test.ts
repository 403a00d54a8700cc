import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AddressField, addressKey, formatAddress, parseAddress } from "../../shared/addresses.ts";

const local64 = "a".repeat(64);
// 64 + @ + 189 = 254 octets.
const domain189 = `${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(56)}.test`;

describe("exactly one address is read", () => {
  test.each([
    ["ada@example.com", "ada@example.com", null],
    ["  ada@example.com ", "ada@example.com", null],
    ["<ada@example.com>", "ada@example.com", null],
    ["Ada Lovelace <ada@example.com>", "ada@example.com", "Ada Lovelace"],
    ["Ada Lovelace<Ada@EXAMPLE.com>", "Ada@example.com", "Ada Lovelace"],
    ['"Lovelace, Ada" <ada@example.com>', "ada@example.com", "Lovelace, Ada"],
    ['"a \\"b\\" \\\\ <c>" <ada@example.com>', "ada@example.com", 'a "b" \\ <c>'],
    ["Ada (Engines) O'Hara Jr. <ada@example.com>", "ada@example.com", "Ada (Engines) O'Hara Jr."],
    ["Größe 日本 <x@bücher.example>", "x@xn--bcher-kva.example", "Größe 日本"],
    ["x@BÜCHER.example", "x@xn--bcher-kva.example", null],
    ["x@xn--bcher-kva.example", "x@xn--bcher-kva.example", null],
    ["x@例え。テスト", "x@xn--r8jz45g.xn--zckzah", null],
    ["jürgen@example.com", "jürgen@example.com", null],
    ["first.last+tag@sub.example.co.uk", "first.last+tag@sub.example.co.uk", null],
    ["!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", null],
    ["ada@localhost", "ada@localhost", null],
    ['"a b"@example.com', '"a b"@example.com', null],
    ['"a@b"@example.com', '"a@b"@example.com', null],
    ['"a\\"b"@example.com', '"a\\"b"@example.com', null],
    ['"a<b,c"@example.com', '"a<b,c"@example.com', null],
    ['X <"a b"@example.com>', '"a b"@example.com', "X"],
    [`${local64}@${domain189}`, `${local64}@${domain189}`, null],
  ])("%s", (text, email, name) => {
    expect(parseAddress(text)).toEqual({ email, name });
  });

  test("an object's name is taken as it is, its email is the bare address", () => {
    expect(parseAddress({ email: " ada@Example.com", name: ' "A", <b> ' })).toEqual({
      email: "ada@example.com",
      name: '"A", <b>',
    });
    expect(parseAddress({ email: "ada@example.com", name: "  " })).toEqual({
      email: "ada@example.com",
      name: null,
    });
    expect(() => parseAddress({ email: "Ada <ada@example.com>" })).toThrow();
  });

  test("quotes nobody needs are dropped, so that one mailbox has one spelling", () => {
    expect(parseAddress('"ada"@example.com').email).toBe("ada@example.com");
    expect(parseAddress('"a\\da"@example.com').email).toBe("ada@example.com");
    expect(parseAddress('"a\\ b"@example.com').email).toBe('"a b"@example.com');
  });
});

describe("anything else is refused with a reason", () => {
  test.each([
    ["", "is not an address"],
    ["ada", "is not an address"],
    ["@example.com", "is not an address"],
    ["ada@", "host name"],
    ["ada@example..com", "host name"],
    ["ada@.example.com", "host name"],
    ["ada@example.com.", "host name"],
    ["ada@-example.com", "host name"],
    ["ada@exa_mple.com", "host name"],
    ["ada@exa mple.com", "host name"],
    ["ada@example.com/x", "host name"],
    ["ada@example%2ecom", "host name"],
    ["ada@example.com:25", "host name"],
    ["ada@127.0.0.1", "host name"],
    ["ada@0x7f.1", "host name"],
    ["ada@①②⑦.0.0.1", "host name"],
    ["ada@[127.0.0.1]", "not an IP address"],
    ["ada@[IPv6:::1]", "not an IP address"],
    [".ada@example.com", "is not an address"],
    ["a..b@example.com", "is not an address"],
    ["ada@evil.test@example.com", "is not an address"],
    ["a b@example.com", "is not an address"],
    ["a(comment)@example.com", "is not an address"],
    ["ada\u202e@example.com", "is not an address"],
    ["ada\u00a0x@example.com", "is not an address"],
    ["a@b.test, c@d.test", "exactly one"],
    ["a@b.test; c@d.test", "exactly one"],
    ["Lovelace, Ada <ada@example.com>", "exactly one"],
    ["Team: a@b.test, c@d.test;", "groups"],
    ["Team: ;", "groups"],
    ["undisclosed-recipients:;", "groups"],
    ["A <a@b.test> B <c@d.test>", "is not an address"],
    ["<<a@b.test>>", "is not an address"],
    ["a@b.test <c@d.test>", "is not an address"],
    ["Ada <ada@example.com", "is not an address"],
    ["ada@example.com\r\nBcc: x@y.test", "line breaks"],
    ["ada@example.com\n", "line breaks"],
    ["a\0da@example.com", "control characters"],
    ["Ada\u2028 <ada@example.com>", "line breaks"],
    ['"A\rB" <ada@example.com>', "line breaks"],
    ["=?utf-8?Q?=0D=0A?= <ada@example.com>", "encoded line break"],
    ["A%0D%0AB <ada@example.com>", "encoded line break"],
    ["\ud800 <ada@example.com>", "half a character"],
    [`${local64}a@example.com`, "64 octets"],
    [`${"é".repeat(33)}@example.com`, "64 octets"],
    [`${local64}@${domain189.replace(".test", "d.test")}`, "254 octets"],
    [`${"n".repeat(257)} <ada@example.com>`, "256 characters"],
    [`${"n".repeat(2000)} <ada@example.com>`, "too long"],
  ])("%j", (text, reason) => {
    expect(() => parseAddress(text)).toThrow(reason);
  });
});

test("an address printed and read again is the same address", () => {
  const name = fc.string({ unit: "grapheme", maxLength: 40 });
  const local = fc.string({ maxLength: 30 }).map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`);
  fc.assert(
    fc.property(name, local, (given, mailbox) => {
      let address;
      try {
        address = parseAddress({ email: `${mailbox}@example.com`, name: given });
      } catch {
        return;
      }
      expect(parseAddress(formatAddress(address))).toEqual(address);
    }),
    { numRuns: 2000 },
  );
});

test("a name is quoted only where RFC 5322 needs it", () => {
  const email = "a@b.test";
  expect(formatAddress({ email, name: null })).toBe("a@b.test");
  expect(formatAddress({ email, name: "Größe Co" })).toBe("Größe Co <a@b.test>");
  expect(formatAddress({ email, name: "A, B." })).toBe('"A, B." <a@b.test>');
  expect(formatAddress({ email, name: 'A "B" \\' })).toBe('"A \\"B\\" \\\\" <a@b.test>');
});

test("every spelling of one mailbox has the same key, different mailboxes have different ones", () => {
  const spellings = ["Ada@Bücher.example", '"ada"@XN--BCHER-KVA.example', " ada@bücher.EXAMPLE "];
  expect(new Set(spellings.map(addressKey))).toEqual(new Set(["ada@xn--bcher-kva.example"]));
  expect(addressKey("jo\u0308rg@x.test")).toBe(addressKey("JÖRG@x.test"));
  expect(addressKey("ada+a@x.test")).not.toBe(addressKey("ada@x.test"));
  expect(addressKey('"a b"@x.test')).not.toBe(addressKey("ab@x.test"));
  expect(addressKey("Not An Address")).toBe("not an address");
});

test("the body field takes the three forms and names what is wrong", () => {
  expect(AddressField.parse("Ada <ada@example.com>")).toEqual({ email: "ada@example.com", name: "Ada" });
  expect(AddressField.parse({ email: "ada@example.com" })).toEqual({ email: "ada@example.com", name: null });
  for (const wrong of [1, null, [], ["a@b.test"], {}, { email: 1 }]) {
    expect(AddressField.safeParse(wrong).error?.issues[0]?.message).toMatch(/^must be an address/);
  }
  expect(AddressField.safeParse({ email: "a@b.test", extra: 1 }).error?.issues[0]?.message).toMatch("extra");
  expect(AddressField.safeParse("a@b.test,c@d.test").error?.issues).toEqual([
    expect.objectContaining({
      path: [],
      message: "must be exactly one address (put a name with a comma in quotes)",
    }),
  ]);
});
