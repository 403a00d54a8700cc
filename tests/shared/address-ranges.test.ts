import { describe, expect, test } from "vitest";
import { addressFamily, inRanges, isPublicAddress, parseRange } from "../../shared/address-ranges.ts";

/** The first and the last address of each special-purpose range, and the neighbours just outside where public. */
const special = [
  ["0.0.0.0", "0.255.255.255"],
  ["10.0.0.0", "10.255.255.255"],
  ["100.64.0.0", "100.127.255.255"],
  ["127.0.0.0", "127.255.255.255"],
  ["168.63.129.16", "168.63.129.16"],
  ["169.254.0.0", "169.254.169.254"],
  ["172.16.0.0", "172.31.255.255"],
  ["192.0.0.0", "192.0.0.192"],
  ["192.0.2.0", "192.0.2.255"],
  ["192.88.99.1", "192.88.99.2"],
  ["192.168.0.0", "192.168.255.255"],
  ["198.18.0.0", "198.19.255.255"],
  ["198.51.100.0", "198.51.100.255"],
  ["203.0.113.0", "203.0.113.255"],
  ["224.0.0.0", "239.255.255.255"],
  ["240.0.0.0", "255.255.255.255"],
  ["::", "::1"],
  ["::127.0.0.1", "::ffff:127.0.0.1"],
  ["::ffff:8.8.8.8", "::ffff:a00:1"],
  ["64:ff9b::", "64:ff9b:1:ffff::"],
  ["100::", "100:0:0:1::"],
  ["2001::", "2001:1ff:ffff::"],
  ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
  ["2002::", "2002:ffff::1"],
  ["2620:4f:8000::", "2620:4f:8000:ffff::"],
  ["3fff::", "3fff:fff:ffff::"],
  ["5f00::", "4000::"],
  ["fc00::", "fdff:ffff::"],
  ["fd00:ec2::254", "fe80::1"],
  ["fec0::1", "ff02::1"],
];

describe("a special-purpose address is not public", () => {
  test.each(special)("%s to %s", (first, last) => {
    expect([isPublicAddress(first ?? ""), isPublicAddress(last ?? "")]).toEqual([false, false]);
  });
});

test.each([
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2001:200::1",
  "2003::1",
  "2606:4700:4700::1111",
  "3ffe::1",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  "",
  "localhost",
  "1.1.1",
  "1.1.1.256",
  "01.1.1.1",
  "1.1.1.1/32",
  "fe80::1%eth0",
  "1::2::3",
  "[::1]",
  ":::",
])(
  "%j is no address and so neither public nor in a range",
  (text) => {
    expect(addressFamily(text)).toBeNull();
    expect(isPublicAddress(text)).toBe(false);
    expect(inRanges(text, [parseRange("0.0.0.0/0"), parseRange("::/0")])).toBe(false);
  },
);

test("a range holds its first and last address and not their neighbours, in its own family only", () => {
  const ranges = [parseRange("127.0.0.0/8"), parseRange("2001:db8::/33"), parseRange("::1")];
  const inside = ["127.0.0.0", "127.255.255.255", "2001:db8::", "2001:db8:7fff:ffff::", "0:0:0:0:0:0:0:1"];
  const outside = ["126.255.255.255", "128.0.0.0", "2001:db8:8000::", "::2", "::7f00:1"];
  expect(inside.map((address) => inRanges(address, ranges))).toEqual(inside.map(() => true));
  expect(outside.map((address) => inRanges(address, ranges))).toEqual(outside.map(() => false));
});

test.each([
  "10.0.0.0/33",
  "::/129",
  "10.0.0.0/",
  "10.0.0.0/8/8",
  "10.0.0.0/a",
  "10.0.0.0/-1",
  "host/8",
  "010.0.0.0/8",
])(
  "%j is not a range",
  (text) => {
    expect(() => parseRange(text)).toThrow(`"${text}" is not an address range`);
  },
);
