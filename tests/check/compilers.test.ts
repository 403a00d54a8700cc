import { expect, test } from "vitest";
import { compiles, entrypointsCheck, formattedByDeno, lintedByDeno } from "./compilers.ts";
import { expectOffenceThenFix, plant } from "./tree.ts";

const settings = { "deno.json": "{}" };

test("an entrypoint that imports a missing file fails, and so does one that misuses a type", async () => {
  const entry = (code: string) => ({ ...settings, "functions/whoami/index.ts": code });
  const root = plant(entry('import "./gone.ts";\nexport default { fetch: () => new Response() };\n'));
  expect((await entrypointsCheck.check(root)).join("\n")).toContain("functions/whoami/gone.ts");
  const mistyped = plant(entry("export default { fetch: (): Response => 1 };\n"));
  expect((await entrypointsCheck.check(mistyped)).join("\n")).toContain("not assignable to type 'Response'");
  const newer = plant(entry("export const key = Uint8Array.fromBase64('');\n"));
  expect((await entrypointsCheck.check(newer)).join("\n")).toContain("fromBase64");
  expect(await entrypointsCheck.check(plant(entry("export default { fetch: () => new Response() };\n"))))
    .toEqual([]);
});

test("an index that may be absent cannot be used as if it were there", async () => {
  const tree = (code: string) => ({
    "tsconfig.json":
      '{ "compilerOptions": { "strict": true, "noUncheckedIndexedAccess": true, "types": [] } }',
    "shared/first.ts": code,
  });
  const unsure = plant(tree("export const first = (all: string[]): string => all[0];\n"));
  expect((await compiles.check(unsure))[0]).toMatch(/^shared\/first\.ts\(1,\d+\): error TS2322/);
  expect(await compiles.check(plant(tree('export const first = (all: string[]) => all[0] ?? "";\n'))))
    .toEqual([]);
});

test("a file deno fmt would change is named", async () => {
  await expectOffenceThenFix(
    formattedByDeno,
    { ...settings, "shared/keys.ts": "export const a=1\n", "shared/codes.ts": "export const b = 2;\n" },
    ["shared/keys.ts: run deno fmt on it"],
    { ...settings, "shared/keys.ts": "export const a = 1;\n", "tests/recorded.json": "{ }" },
  );
});

test("what deno lint refuses is named, and a global only Node has is refused where Deno runs", async () => {
  const root = plant({
    "deno.json": '{ "lint": { "rules": { "exclude": ["no-empty"] } } }',
    "shared/keys.ts": "export const a = (b: any) => b;\n",
    "shared/bytes.ts": "export const c = () => Buffer.from([]);\n",
    "tests/bytes.ts": "export const c = () => Buffer.from([]);\nif (c()) {}\n",
    "tests/keys.ts": "export const a = (b: any) => b;\n",
  });
  const found = await lintedByDeno.check(root);
  expect(found.map((line) => line.replace(/: line.*\(/, " ("))).toEqual([
    "shared/bytes.ts (no-node-globals)",
    "shared/keys.ts (no-explicit-any)",
    "tests/keys.ts (no-explicit-any)",
  ]);
  expect(await lintedByDeno.check(plant({ ...settings, "shared/keys.ts": "export const a = 1;\n" }))).toEqual(
    [],
  );
});
