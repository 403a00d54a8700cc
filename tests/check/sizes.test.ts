import { expect, test } from "vitest";
import { sizesKept, tooLong } from "./sizes.ts";
import { expectOffenceThenFix, plant } from "./tree.ts";

const lines = (count: number, line: string) => `${line}\n`.repeat(count);
const arrow = (count: number) => `export const send = () => {\n${lines(count - 2, "  done();")}};\n`;
const sqlFunction = (count: number) =>
  `create function mailpipe.pin()\nreturns void\nas $$\n${lines(count - 4, "    null;")}$$;\n`;

test("what is one line over its size is named, and what is exactly as long is not", async () => {
  const tree = (more: number) => ({
    "functions/whoami/index.ts": lines(60 + more, "whoami();"),
    "shared/keys.ts": lines(150 + more, "// a reason"),
    "supabase/local/start.ts": arrow(30 + more),
    "supabase/migrations/1_pin.sql": sqlFunction(40 + more),
    "supabase/migrations/2_long.sql": lines(150 + more, "-- a reason"),
    "tests/functions/whoami.test.ts": lines(900, "// tests may tell long stories"),
  });
  // This repository's own excuses have nothing to do with the fixture.
  const unexcused = { ...sizesKept, check: (root: string) => tooLong(root, {}) };
  await expectOffenceThenFix(unexcused, tree(1), [
    "functions/whoami/index.ts: 61 lines, aim at 60",
    "shared/keys.ts: 151 lines, aim at 150",
    "supabase/migrations/2_long.sql: 151 lines, aim at 150",
    "supabase/local/start.ts send: 31 lines, aim at 30",
    "supabase/migrations/1_pin.sql mailpipe.pin: 41 lines, aim at 40",
  ], tree(0));
});

test("a method, a property and a nested function are measured under their own names", () => {
  const body = lines(29, "    done();");
  const root = plant({
    "functions/a/index.ts":
      `export default serve({\n  POST: {\n    async run() {\n${body}    },\n  },\n  GET: () => {\n${body}  },\n});\n`,
  });
  expect(tooLong(root, {})).toEqual([
    "functions/a/index.ts: 66 lines, aim at 60",
    "functions/a/index.ts run: 31 lines, aim at 30",
    "functions/a/index.ts GET: 31 lines, aim at 30",
  ]);
});

test("an excuse is accepted by name, and refused once it is not needed", () => {
  const root = plant({ "shared/keys.ts": lines(151, "// a reason") });
  const excuse = { "shared/keys.ts": "one table of codes" };
  expect(tooLong(root, excuse)).toEqual([]);
  expect(tooLong(plant({}), excuse)).toEqual([
    "tests/check/exceptions.ts excuses shared/keys.ts, which is not too long",
  ]);
});
