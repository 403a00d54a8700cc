import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Fault } from "../../shared/errors.ts";
import {
  apiUrl,
  egressAllowList,
  MissingEnvironment,
  providerUrl,
  publishableKey,
  secretKey,
  secretKeys,
  trustedHops,
} from "../../shared/environment.ts";

const names = [
  "SUPABASE_URL",
  "SUPABASE_SECRET_KEYS",
  "SUPABASE_SERVICE_ROLE_KEY",
  "SUPABASE_PUBLISHABLE_KEYS",
  "SUPABASE_ANON_KEY",
  "MAILPIPE_EGRESS_ALLOW",
  "MAILPIPE_PROVIDER_URL_RESEND",
  "MAILPIPE_TRUSTED_HOPS",
];

// An empty variable is an absent one.
beforeEach(() => names.forEach((name) => vi.stubEnv(name, "")));
afterEach(() => vi.unstubAllEnvs());

describe("what the platform must provide", () => {
  test("is missed by name when it is absent or empty", () => {
    expect(() => apiUrl()).toThrow(new MissingEnvironment("SUPABASE_URL"));
    expect(() => secretKey()).toThrow(new MissingEnvironment("SUPABASE_SECRET_KEYS"));
    expect(() => publishableKey()).toThrow(new MissingEnvironment("SUPABASE_PUBLISHABLE_KEYS"));
    expect(secretKeys()).toEqual([]);
  });

  test("is the gateway's origin without a slash at its end", () => {
    vi.stubEnv("SUPABASE_URL", "https://abc.supabase.co//");
    expect(apiUrl()).toBe("https://abc.supabase.co");
  });

  test("is read at each call", () => {
    vi.stubEnv("SUPABASE_URL", "https://one.example");
    expect(apiUrl()).toBe("https://one.example");
    vi.stubEnv("SUPABASE_URL", "https://two.example");
    expect(apiUrl()).toBe("https://two.example");
  });
});

describe("the project's keys", () => {
  test("are the named ones first, then the old one", () => {
    vi.stubEnv("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_a","second":"sb_secret_b"}');
    vi.stubEnv("SUPABASE_SERVICE_ROLE_KEY", "old");
    expect(secretKeys()).toEqual(["sb_secret_a", "sb_secret_b", "old"]);
    expect(secretKey()).toBe("sb_secret_a");
  });

  test("are the old ones where there are no named ones", () => {
    vi.stubEnv("SUPABASE_SERVICE_ROLE_KEY", "old-secret");
    vi.stubEnv("SUPABASE_ANON_KEY", "old-anon");
    expect([secretKey(), publishableKey()]).toEqual(["old-secret", "old-anon"]);
  });
});

describe("what the operator may set", () => {
  test("opens no address unless it is written down", () => {
    expect(egressAllowList()).toEqual([]);
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", " 127.0.0.0/8, ::1/128 ,,");
    expect(egressAllowList()).toEqual(["127.0.0.0/8", "::1/128"]);
  });

  test("says how many proxies are trusted: the platform's own unless it does, none to nine", () => {
    expect(trustedHops()).toBe(1);
    for (const hops of [0, 1, 2, 9]) {
      vi.stubEnv("MAILPIPE_TRUSTED_HOPS", `${hops}`);
      expect(trustedHops()).toBe(hops);
    }
  });

  test.each(["10", "-1", "1.5", "1e0", " 1", "01", "two", "\u0661"])(
    "trusts nobody by %j, which is a fault",
    (hops) => {
      vi.stubEnv("MAILPIPE_TRUSTED_HOPS", hops);
      expect(() => trustedHops()).toThrow(Fault);
      expect(() => trustedHops()).toThrow("MAILPIPE_TRUSTED_HOPS");
    },
  );

  test("puts a provider elsewhere for the whole installation", () => {
    expect(providerUrl("resend", "https://api.resend.com/")).toBe("https://api.resend.com");
    vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", "http://127.0.0.1:9/");
    expect(providerUrl("resend", "https://api.resend.com")).toBe("http://127.0.0.1:9");
    expect(providerUrl("postmark", "https://api.example")).toBe("https://api.example");
  });
});
