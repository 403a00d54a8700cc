import { afterAll, beforeAll, describe, expect, test } from "vitest";
import whoami from "../../functions/whoami/index.ts";
import { FloodGuard } from "../../shared/flood-guard.ts";
import { mintKey } from "../../shared/keys.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask, refusal } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { foundTenant } from "../support/tenant.ts";

const here = "192.0.2.1";

function flooded(): FloodGuard {
  const guard = new FloodGuard();
  for (let call = 0; call < 300; call++) guard.failed(here, 1_000);
  return guard;
}

describe("the guard", () => {
  test("lets 299 failures a minute pass, and not the three hundredth's successor", () => {
    const guard = new FloodGuard();
    for (let call = 0; call < 299; call++) guard.failed(here, call);
    guard.check(here, "h", 500);
    guard.failed(here, 500);
    expect(() => guard.check(here, "h", 500)).toThrow("too_many_failures");
    guard.check("192.0.2.2", "h", 500);
    guard.check(undefined, "h", 500);
  });

  test("opens again a minute after the first failure, and says when", () => {
    const guard = flooded();
    expect(() => guard.check(here, "h", 60_999)).toThrow(
      expect.objectContaining({ facts: { retryAfterSeconds: 1 } }),
    );
    guard.check(here, "h", 61_000);
    for (let call = 0; call < 299; call++) guard.failed(here, 61_000);
    guard.check(here, "h", 61_000);
    guard.failed(here, 61_000);
    expect(() => guard.check(here, "h", 61_000)).toThrow("too_many_failures");
  });

  test("lets a key pass that worked within the minute", () => {
    const guard = flooded();
    guard.succeeded("good", 1_000);
    guard.check(here, "good", 60_999);
    expect(() => guard.check(here, "other", 30_000)).toThrow("too_many_failures");
    guard.succeeded("old", 1_000);
    for (let call = 0; call < 300; call++) guard.failed("192.0.2.3", 61_000);
    expect(() => guard.check("192.0.2.3", "old", 61_001)).toThrow("too_many_failures");
  });

  test("forgets the address that failed longest ago rather than grow", () => {
    const guard = flooded();
    for (let address = 0; address < 10_000; address++) {
      guard.failed(`2001:db8::${address.toString(16)}`, 1_001);
    }
    guard.check(here, "h", 1_002);
  });

  test("remembers an address that goes on failing, however many others fail", () => {
    const guard = flooded();
    for (let address = 0; address < 20_000; address++) {
      guard.failed(`2001:db8::${address.toString(16)}`, 1_001);
      if (address % 5_000 === 0) guard.failed(here, 1_001);
    }
    expect(() => guard.check(here, "h", 1_002)).toThrow("too_many_failures");
  });

  test("forgets the key that worked longest ago rather than grow", () => {
    const guard = flooded();
    guard.succeeded("first", 1_000);
    guard.succeeded("second", 1_000);
    for (let key = 0; key < 9_998; key++) guard.succeeded(`${key}`, 1_000);
    guard.succeeded("first", 1_001);
    guard.succeeded("last", 1_001);
    guard.check(here, "first", 1_002);
    expect(() => guard.check(here, "second", 1_002)).toThrow("too_many_failures");
  });

  test("counts nothing from nowhere", () => {
    const guard = new FloodGuard();
    for (let call = 0; call < 400; call++) guard.failed(undefined, 1_000);
    guard.check(undefined, "h", 1_000);
    guard.check(here, "h", 1_000);
  });
});

describe("a flood", () => {
  let api: Api;
  beforeAll(async () => {
    keepLog();
    api = await startApi();
  });
  afterAll(() => api.close());

  test("stops before the database, and a key that just worked goes on from the same address", async () => {
    const tenant = await foundTenant(api);
    const headers = { "x-forwarded-for": "198.51.100.99" };
    const who = (token: string, more = headers) => ask(whoami, "whoami", { token, headers: more });
    expect((await who(tenant.live)).status).toBe(200);
    for (let call = 0; call < 300; call++) await who(mintKey("live").plain);
    api.calls.length = 0;
    const answer = await who(mintKey("live").plain);
    expect(refusal(answer)).toEqual([429, "too_many_failures"]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(api.calls).toEqual([]);
    expect((await who(tenant.live)).status).toBe(200);
    // It is looked up as always: nothing is let in from memory.
    expect(api.calls.map(({ rpc }) => rpc)).toEqual(["whoami"]);
    expect(refusal(await who(mintKey("live").plain, { "x-forwarded-for": "198.51.100.98" }))).toEqual([
      401,
      "invalid_credential",
    ]);
  });
});
