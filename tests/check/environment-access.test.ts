import { test } from "vitest";
import { environmentKept } from "./environment-access.ts";
import { expectOffenceThenFix } from "./tree.ts";

test("every way to read a variable is named outside environment.ts", async () => {
  await expectOffenceThenFix(
    environmentKept,
    {
      "functions/health/index.ts": [
        'export const a = Deno.env.get("A");',
        "export const b = process.env.B;",
        "export const c = globalThis.process.env.C;",
        'export const d = process["env"];',
        "export const { env } = process;",
      ].join("\n"),
      "shared/region.ts": 'import { env } from "node:process";\nexport const { env: all } = Deno;\n',
    },
    [
      ...[1, 2, 3, 4, 5].map((line) => `functions/health/index.ts:${line} reads the environment`),
      ...[1, 2].map((line) => `shared/region.ts:${line} reads the environment`),
    ],
    {
      "shared/environment.ts": "export const a = process.env.A;\n",
      "shared/region.ts":
        "// process.env in prose\nexport const text = 'Deno.env';\nexport const { pid } = process;\n",
      "supabase/local/start.ts": "export const port = process.env.MAILPIPE_PORT;\n",
    },
  );
});
