import { afterEach, expect, test, vi } from "vitest";
import { clientAddress } from "../../shared/client-address.ts";

afterEach(() => vi.unstubAllEnvs());

const from = (chain?: string) =>
  clientAddress(
    new Request("http://127.0.0.1/", chain === undefined ? {} : { headers: { "x-forwarded-for": chain } }),
  );

test.each([
  [undefined, null],
  ["", null],
  ["192.0.2.1", "192.0.2.1"],
  ["10.0.0.1,192.0.2.1", "192.0.2.1"],
  ["garbage, 192.0.2.1", "192.0.2.1"],
  ["192.0.2.1, garbage", null],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:DB8::0:1", "2001:db8::1"],
  ["192.0.2.1, ", null],
  ["192.0.2.1:443", null],
  ["[2001:db8::1]", null],
  ["[2001:db8::1]:443", null],
  ["fe80::1%eth0", null],
  ["010.0.0.1", null],
  ["192.0.2.1, unknown", null],
])("by one trusted hop %s is %s", (chain, address) => {
  expect(from(chain)).toBe(address);
});

test.each([["0", "192.0.2.1", null], ["2", "192.0.2.1", null], ["2", "192.0.2.1, 10.0.0.1", "192.0.2.1"], [
  "3",
  "a, 192.0.2.1, 10.0.0.1, 10.0.0.2",
  "192.0.2.1",
]])("by %s trusted hops %s is %s", (hops, chain, address) => {
  vi.stubEnv("MAILPIPE_TRUSTED_HOPS", hops);
  expect(from(chain)).toBe(address);
});

test("a chain in several headers is one chain", () => {
  const headers: [string, string][] = [["x-forwarded-for", "198.51.100.1"], ["x-forwarded-for", "192.0.2.1"]];
  expect(clientAddress(new Request("http://127.0.0.1/", { headers }))).toBe("192.0.2.1");
});

test.each(["one", "-1", "10", "1.5"])("%s trusted hops are a fault of the deployment", (hops) => {
  vi.stubEnv("MAILPIPE_TRUSTED_HOPS", hops);
  expect(() => from("192.0.2.1")).toThrow("MAILPIPE_TRUSTED_HOPS");
});
