import { test } from "vitest";
import { lockComplete } from "./lock.ts";
import { pinsAgree } from "./pins.ts";
import { expectOffenceThenFix } from "./tree.ts";

test("a range, a difference, an unmapped import and an inline npm: specifier are named", async () => {
  await expectOffenceThenFix(
    pinsAgree,
    {
      "package.json": '{ "dependencies": { "zod": "4.6.7", "undici": "^7.30.2" } }',
      "deno.json": '{ "imports": { "zod": "npm:zod@4.6.6", "jose": "npm:jose@6.2.17" } }',
      "shared/keys.ts": 'import "node:crypto";\nimport "undici";\nimport "npm:zod@4.6.7";\n',
    },
    [
      'package.json: undici is "^7.30.2"',
      'deno.json: zod is "npm:zod@4.6.6", package.json says "npm:zod@4.6.7"',
      'deno.json: jose is "npm:jose@6.2.17"',
      "shared/keys.ts:2 imports undici",
      "shared/keys.ts:3 imports npm:zod@4.6.7",
    ],
    {
      "package.json": '{ "dependencies": { "zod": "4.6.7" }, "devDependencies": { "pg": "1.0.0-beta.17" } }',
      "deno.json": '{ "imports": { "zod": "npm:zod@4.6.7" } }',
      "shared/keys.ts": 'import "node:crypto";\nimport "zod";\nimport "./codes.ts";\n',
    },
  );
});

const lock = (packages: Record<string, unknown>) => ({ "package-lock.json": JSON.stringify({ packages }) });

test("an optional dependency that only another platform installs must be in the lock", async () => {
  const tool = { optionalDependencies: { "@tool/linux": "1.0.0", "@tool/darwin": "1.0.0" } };
  await expectOffenceThenFix(
    lockComplete,
    lock({ "node_modules/tool": tool, "node_modules/@tool/linux": {} }),
    ["package-lock.json lacks @tool/darwin, which node_modules/tool"],
    lock({
      "node_modules/tool": tool,
      "node_modules/@tool/linux": {},
      "node_modules/tool/node_modules/@tool/darwin": {},
    }),
  );
});

test("a missing lock is named", async () => {
  await expectOffenceThenFix(lockComplete, {}, ["package-lock.json is missing"], lock({ "": {} }));
});
