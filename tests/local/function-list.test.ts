import { describe, expect, it } from "vitest";
import { declaredFunctions } from "../../supabase/local/function-list.ts";

describe("the functions of config.toml", () => {
  it("are its [functions.…] sections, whatever stands around and inside them", () => {
    const config = `
project_id = "mailpipe"
[functions.issue-key] # a comment
verify_jwt = false # the function checks the credential itself
entrypoint = "../functions/issue-key/index.ts"
import_map = "../deno.json"

[api]
entrypoint = "not a function's"
[functions.health]
entrypoint = "../functions/health/index.ts"
verify_jwt = false
`;
    expect(declaredFunctions(config)).toEqual([
      { slug: "issue-key", entrypoint: "../functions/issue-key/index.ts" },
      { slug: "health", entrypoint: "../functions/health/index.ts" },
    ]);
  });

  it.each([
    ['[functions.a]\nentrypoint = "a.ts"', "[functions.a] needs verify_jwt = false"],
    ['[functions.a]\nverify_jwt = true\nentrypoint = "a.ts"', "[functions.a] needs verify_jwt = false"],
    ["[functions.a]\nverify_jwt = false", '[functions.a] needs entrypoint = "<path>"'],
  ])(
    "are refused where a token would be checked by the platform, or the entry is missing",
    (config, sentence) => {
      expect(() => declaredFunctions(config)).toThrow(sentence);
    },
  );
});
