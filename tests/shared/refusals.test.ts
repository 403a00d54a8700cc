import { setImmediate } from "node:timers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError } from "../../shared/errors.ts";
import { hashKey, mintKey } from "../../shared/keys.ts";
import { recordRefusal } from "../../shared/refusals.ts";
import { answerJson, type StandIn, startStandIn } from "../support/stand-in.ts";

let project: StandIn;
const key = mintKey("live").plain;
const caller = { key_hash: hashKey(key) };
const request = (headers: Record<string, string> = { authorization: `Bearer ${key}` }, path = "whoami") =>
  new Request(`http://127.0.0.1/${path}`, { headers });

beforeEach(async () => {
  project = await startStandIn((_, response) => answerJson(response, 200, {}));
  vi.stubEnv("SUPABASE_URL", project.url);
  vi.stubEnv("SUPABASE_SECRET_KEYS", '{"default":"sb_secret_test"}');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await project.close();
});

const recorded = () =>
  project.calls.map(({ body }) => (JSON.parse(body) as { p_refusal: unknown }).p_refusal);
const byDatabase = { byDatabase: true } as const;

describe("recordRefusal", () => {
  test.each(["https_required", "key_in_browser", "key_misplaced"] as const)(
    "marks every whole key a request shows, at most ten, for %s",
    async (code) => {
      const many = Array.from({ length: 12 }, () => mintKey("test").plain);
      await recordRefusal(
        request({ authorization: `Bearer ${key}`, "x-k": many.join(" ") }),
        null,
        new ApiError(code),
        false,
      );
      const [{ key_hashes }] = recorded() as [{ key_hashes: string[] }];
      expect(key_hashes).toEqual(many.slice(0, 10).map(hashKey));
    },
  );

  test("asks nobody where the key is mistyped or there is none", async () => {
    await recordRefusal(
      request({ authorization: `Bearer ${key.slice(0, -1)}!` }),
      null,
      new ApiError("key_in_browser"),
      false,
    );
    await recordRefusal(request({}), null, new ApiError("https_required"), false);
    expect(recorded()).toEqual([]);
  });

  test.each(["scope_missing", "fence_violated"] as const)("has written %s when it resolves", async (code) => {
    await recordRefusal(request(), caller, new ApiError(code, "mail:send", {}, byDatabase), true);
    expect(recorded()).toEqual([{ code, detail: "mail:send", counted: true, key_hashes: [caller.key_hash] }]);
  });

  test.each(["not_found", "invalid_request", "session_required"] as const)(
    "counts %s by the database behind the answer, without its particulars",
    async (code) => {
      const particulars = [{ path: "secret", message: "secret" }];
      await recordRefusal(request(), caller, new ApiError(code, particulars, {}, byDatabase), false);
      expect(recorded()).toEqual([]);
      await expect.poll(recorded).toEqual([
        { code, detail: null, counted: false, key_hashes: [caller.key_hash] },
      ]);
    },
  );

  test("marks a key whatever the caller is, and takes nothing from its windows", async () => {
    await recordRefusal(request(), null, new ApiError("https_required"), false);
    expect(recorded()).toEqual([
      { code: "https_required", detail: null, counted: true, key_hashes: [caller.key_hash] },
    ]);
  });

  test("sends no key, only hashes", async () => {
    await recordRefusal(
      request({ authorization: `Bearer ${key}` }, `whoami?key=${key}`),
      null,
      new ApiError("key_misplaced"),
      false,
    );
    expect(JSON.stringify(project.calls)).not.toContain(key);
    expect(recorded()).toHaveLength(1);
  });

  test("writes of a dead key behind the answer", async () => {
    await recordRefusal(
      request(),
      caller,
      new ApiError("invalid_credential", undefined, {}, { ...byDatabase, aboutKey: true }),
      false,
    );
    expect(recorded()).toEqual([]);
    await expect.poll(recorded).toEqual([{
      code: "invalid_credential",
      detail: null,
      counted: false,
      key_hashes: [caller.key_hash],
    }]);
  });

  test.each<[string, object | null, ApiError]>([
    ["an unknown key", caller, new ApiError("invalid_credential", undefined, {}, byDatabase)],
    ["a limit that is reached", caller, new ApiError("rate_limited", undefined, {}, byDatabase)],
    ["what never reached the database", caller, new ApiError("invalid_request")],
    [
      "a session",
      { user_id: "u", session_id: "s" },
      new ApiError("scope_missing", undefined, {}, byDatabase),
    ],
    ["nobody", null, new ApiError("not_found", undefined, {}, byDatabase)],
  ])("leaves nothing of %s", async (_, who, error) => {
    const sent = vi.spyOn(globalThis, "fetch");
    await recordRefusal(request(), who as never, error, false);
    // What goes on behind the answer would have left by then.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(sent).not.toHaveBeenCalled();
  });

  test("rejects when nothing could be written, which the pipeline logs and goes on", async () => {
    await project.close();
    await expect(recordRefusal(request(), caller, new ApiError("scope_missing", "x", {}, byDatabase), false))
      .rejects
      .toMatchObject({ code: "database_unavailable" });
    project = await startStandIn((_, response) => answerJson(response, 200, {}));
  });
});
