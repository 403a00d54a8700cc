import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalAddress, canonicalRange } from "../../shared/canonical-addresses.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:0201", "192.0.2.1"],
  ["2001:0db8:0:0:0:0:0:1", "2001:db8::1"],
  ["::", "::"],
  ["192.0.2.01", null],
  ["192.0.2", null],
  ["0x7f.1", null],
  ["::ffff:192.0.2.01", null],
  ["192.0.2.256", null],
  ["192.0.2.1 ", null],
  ["1::2::3", null],
  ["12345::", null],
  ["fe80::1%eth0", null],
  ["[::1]", null],
  ["1.2.3.4:80", null],
  ["", null],
])("the one spelling of %s is %s", (given, expected) => {
  expect(canonicalAddress(given)).toBe(expected);
});

test.each([
  ["198.51.100.0/24", "198.51.100.0/24"],
  ["198.51.100.7", "198.51.100.7/32"],
  ["2001:DB8::/32", "2001:db8::/32"],
  ["::ffff:198.51.100.0/120", "198.51.100.0/24"],
  ["::1", "::1/128"],
])("the one spelling of the range %s is %s", (given, range) => {
  expect(canonicalRange(given)).toEqual({ range });
});

test.each([
  ["0.0.0.0/0", "leave the fence out"],
  ["::/0", "leave the fence out"],
  ["::ffff:0:0/96", "leave the fence out"],
  ["198.51.100.1/24", "198.51.100.0/24"],
  ["2001:db8::1/32", "2001:db8::/32"],
  ["198.51.100.0/33", "too long"],
  ["::ffff:198.51.100.0/64", "too short"],
  ["198.51.100.0/", "must be"],
  ["198.51.100.0/24/8", "must be"],
  ["198.51.100.0/024", "must be"],
  ["198.51.100.0/+24", "must be"],
  ["010.0.0.0/8", "must be"],
  ["fe80::%eth0/64", "must be"],
  ["2001:db8::/129", "too long"],
  ["198.51.100.0/-1", "must be"],
  ["198.51.100.0/1e1", "must be"],
  ["example.com", "must be"],
])("%s is no fence, and the answer says %s", (given, words) => {
  expect(canonicalRange(given)).toEqual({ problem: expect.stringContaining(words) });
});

test("every IPv4 address is the same whether it comes mapped or not", () => {
  fc.assert(fc.property(fc.ipV4(), (address) => {
    expect(canonicalAddress(`::ffff:${address}`)).toBe(canonicalAddress(address));
  }));
});

test("every IPv6 address has one spelling, and that is an address again", () => {
  fc.assert(fc.property(fc.ipV6(), (address) => {
    const spelled = canonicalAddress(address);
    expect(spelled).not.toBeNull();
    expect(canonicalAddress(String(spelled))).toBe(spelled);
    expect(canonicalAddress(address.toUpperCase())).toBe(spelled);
  }));
});

test("every range is one range, whichever way it was spelled, or says how it is spelled", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 128 }), (address, prefix) => {
      const read = canonicalRange(`${address}/${prefix}`);
      const spelled = "range" in read ? read.range : /: write (\S+)$/.exec(read.problem)?.[1];
      if (spelled !== undefined) expect(canonicalRange(spelled)).toEqual({ range: spelled });
    }),
  );
});
