import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { assertDestination } from "../../shared/destination.ts";

beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterEach(() => vi.unstubAllEnvs());

test("an address the operator opened is a destination", async () => {
  await expect(assertDestination("url", "http://127.0.0.1:4000/hook")).resolves.toBeUndefined();
});

test.each([
  "http://93.184.215.14/",
  "https://10.0.0.1/",
  "https://[::1]/",
  "https://169.254.169.254/latest/meta-data",
  "https://user@93.184.215.14/",
  "https://abcdefghijklmnopqrst.supabase.co/functions/v1/x",
  "nonsense",
])("%s is refused in a sentence, under the field it came in", async (url) => {
  await expect(assertDestination("endpoint.url", url)).rejects.toMatchObject({
    code: "invalid_request",
    particulars: [{ path: "endpoint.url", message: expect.stringMatching(/^\S.*\.$/) }],
  });
});

test("a fault of the operator's is not told as the caller's", async () => {
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "loopback");
  await expect(assertDestination("url", "https://127.0.0.1/")).rejects.toThrow("is not an address range");
});
