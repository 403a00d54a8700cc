import { test } from "vitest";
import { docstringsPresent } from "./docstrings.ts";
import { expectOffenceThenFix } from "./tree.ts";

test("an exported function without a docstring is named, whatever its form", async () => {
  await expectOffenceThenFix(
    docstringsPresent,
    {
      "shared/keys.ts": [
        "export function mint(): void {}",
        "// A comment is no docstring.",
        "export const hash = (text: string) => text;",
        "export default async function () {}",
      ].join("\n"),
    },
    ["shared/keys.ts:1 mint", "shared/keys.ts:3 hash", "shared/keys.ts:4 default"],
    {
      "shared/keys.ts": [
        "/** Mints. */",
        "export function mint(): void;",
        "export function mint(prefix: string): void;",
        "export function mint(_prefix?: string): void {}",
        "export const length = 46;",
        "function inner() {}",
      ].join("\n"),
      "functions/whoami/index.ts": "export function show() {}\n",
    },
  );
});
