import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Lock, missingPackages } from "../../supabase/local/complete-lock.ts";

function lock(): Lock {
  return JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as Lock;
}

describe("package-lock.json", () => {
  test("names the packages of every platform, so that `npm ci` accepts it anywhere", () => {
    expect(missingPackages(lock())).toEqual({});
  });

  test("gets a package back that npm left out, with its platform", () => {
    const incomplete = lock();
    delete incomplete.packages["node_modules/@supabase/cli-linux-arm64-musl"];
    delete incomplete.packages["node_modules/@deno/win32-x64"];
    expect(missingPackages(incomplete)).toEqual({
      "node_modules/@supabase/cli-linux-arm64-musl": {
        version: lock().packages["node_modules/supabase"]?.version,
        dev: true,
        optional: true,
        os: ["linux"],
        cpu: ["arm64"],
        libc: ["musl"],
      },
      "node_modules/@deno/win32-x64": {
        version: lock().packages["node_modules/deno"]?.version,
        dev: true,
        optional: true,
        os: ["win32"],
        cpu: ["x64"],
      },
    });
  });
});
