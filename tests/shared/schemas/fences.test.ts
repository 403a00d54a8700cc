import { describe, expect, test } from "vitest";
import { AddressRange, Fences, Limits, ShownFences, ShownLimits } from "../../../shared/schemas/fences.ts";

const many = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index));
/** Where and why a schema refuses. */
const problems = (schema: typeof Fences | typeof Limits, given: unknown) =>
  schema.safeParse(given).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];

describe("fences", () => {
  test("left out, or null, are none", () => {
    expect(Fences.parse({})).toEqual({});
    const none = { sending_domains: null, mailboxes: null, recipient_domains: null, ip_ranges: null };
    expect(Fences.parse(none)).toEqual(none);
  });

  test.each(["sending_domains", "recipient_domains"] as const)(
    "%s are in lower-case A-labels, each once",
    (fence) => {
      const given = [
        "Acme.Example",
        "BÜCHER.example",
        "xn--bcher-kva.example",
        "acme.example",
        "a\u3002example",
      ];
      expect(Fences.parse({ [fence]: given })).toEqual({
        [fence]: ["acme.example", "xn--bcher-kva.example", "a.example"],
      });
    },
  );

  test.each([
    "",
    "example",
    "*.example.com",
    ".example.com",
    "example.com.",
    "example..com",
    "@example.com",
    "a@example.com",
    "example.com:25",
    "example.com/x",
    "example.com?x",
    "https://example.com",
    "192.0.2.1",
    "0x7f.1",
    "1.2",
    "[::1]",
    "::1",
    "-a.example",
    "a b.example",
    "a%2eexample.com",
    "a.example\n",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(130)}example`,
  ])("%j is no domain", (domain) => {
    expect(Fences.safeParse({ sending_domains: [domain] }).error?.issues[0]?.path).toEqual([
      "sending_domains",
      0,
    ]);
  });

  test("mailboxes are named by id, or by address in the one form it is compared in", () => {
    const id = "mbx_01JDPZ0000000000000000000A";
    const given = [
      id,
      "Ada <ADA@Acme.Example>",
      "ada@acme.example",
      "re\u0301ne@BÜCHER.example",
      '"ada"@acme.example',
    ];
    expect(Fences.parse({ mailboxes: given }).mailboxes).toEqual([
      id,
      "ada@acme.example",
      "r\u00e9ne@xn--bcher-kva.example",
    ]);
  });

  test.each([
    "",
    "mbx_1",
    "msg_01JDPZ0000000000000000000A",
    "acme.example",
    "a@b.example, c@d.example",
    "a@b\r\n",
  ])(
    "%j is no mailbox",
    (name) => {
      expect(problems(Fences, { mailboxes: [name] })).toEqual([
        expect.stringMatching(/^mailboxes\.0: must be a mailbox's id or address; as an address it /),
      ]);
    },
  );

  test("ranges have one spelling, each once", () => {
    const given = [
      "198.51.100.0/24",
      "::ffff:198.51.100.0/120",
      "2001:DB8:0::/32",
      "192.0.2.1",
      "192.0.2.1/32",
    ];
    expect(Fences.parse({ ip_ranges: given }).ip_ranges).toEqual([
      "198.51.100.0/24",
      "2001:db8::/32",
      "192.0.2.1/32",
    ]);
  });

  test.each([
    ["198.51.100.1/24", "has bits beyond its prefix: write 198.51.100.0/24"],
    ["0.0.0.0/0", "lets every address through: leave the fence out instead"],
    ["::/0", "lets every address through: leave the fence out instead"],
    ["198.51.100.0/33", "has a prefix that is too long or too short"],
    ["fe80::1%eth0", "must be an address range like 198.51.100.0/24 or 2001:db8::/32"],
  ])("%s is no range, and the answer says why", (range, message) => {
    expect(problems(Fences, { ip_ranges: ["192.0.2.1", range] })).toEqual([`ip_ranges.1: ${message}`]);
    expect(AddressRange.safeParse(range).error?.issues[0]?.message).toBe(message);
  });

  test.each([
    ["sending_domains", (index: number) => `a${index}.example`],
    ["recipient_domains", (index: number) => `a${index}.example`],
    ["mailboxes", (index: number) => `a${index}@b.example`],
    ["ip_ranges", (index: number) => `10.0.${index}.0/24`],
  ])("%s have one entry to a hundred", (fence, one) => {
    expect(Fences.parse({ [fence]: many(100, one) })).toEqual({ [fence]: many(100, one) });
    expect(problems(Fences, { [fence]: many(101, one) })).toHaveLength(1);
    expect(problems(Fences, { [fence]: [] })).toEqual([
      expect.stringMatching(/at least one .*; leave the fence out/),
    ]);
    for (const given of ["a.example", {}, 1, true]) {
      expect(Fences.safeParse({ [fence]: given }).success).toBe(false);
    }
    for (const given of [[1], [null], [["a.example"]], [{}]]) {
      expect(Fences.safeParse({ [fence]: given }).success).toBe(false);
    }
  });

  test("are no other than these four", () => {
    expect(Fences.safeParse({ countries: ["AQ"] }).error?.issues[0]).toMatchObject({ keys: ["countries"] });
  });
});

describe("limits", () => {
  test("are whole numbers from one to a million, or none", () => {
    for (const given of [{}, { per_minute: null }, { per_minute: 1, per_day: 1_000_000 }]) {
      expect(Limits.parse(given)).toEqual(given);
    }
  });

  test.each([0, -1, 1.5, 1_000_001, "10", NaN, Infinity, true, [10], 10n])("%s is none", (limit) => {
    expect(problems(Limits, { per_minute: limit })).toEqual([expect.stringMatching(/^per_minute: /)]);
    expect(problems(Limits, { per_day: limit })).toEqual([expect.stringMatching(/^per_day: /)]);
  });

  test("are no other than these two", () => {
    expect(Limits.safeParse({ per_hour: 1 }).success).toBe(false);
  });
});

test("what is shown holds every fence and limit, null where there is none", () => {
  const fences = {
    sending_domains: ["a.example"],
    mailboxes: null,
    recipient_domains: null,
    ip_ranges: null,
  };
  expect(ShownFences.parse(fences)).toEqual(fences);
  expect(ShownFences.safeParse({ ...fences, ip_ranges: undefined }).success).toBe(false);
  expect(ShownLimits.parse({ per_minute: 1, per_day: null })).toEqual({ per_minute: 1, per_day: null });
  expect(ShownLimits.safeParse({ per_minute: 1 }).success).toBe(false);
});
