import { expect, test } from "vitest";
import { report } from "./report.ts";
import type { Rule } from "./rule.ts";
import { rules } from "./rules.ts";

async function told(...tried: Rule[]): Promise<{ holds: boolean; lines: string[] }> {
  const lines: string[] = [];
  const holds = await report(tried, ".", (line) => lines.push(line.replace(/\(\d+\.\d s\)$/, "(0.0 s)")));
  return { holds, lines };
}

const kept: Rule = { sentence: "Water is wet", check: () => [] };
const broken: Rule = {
  sentence: "Fire is cold",
  check: () => Promise.resolve(["fire.ts:1 burns", "fire.ts:2 burns"]),
};
const torn: Rule = {
  sentence: "Stones float",
  check: () => {
    throw new Error("no stone found");
  },
};

test("every step is told by its sentence, and a broken one does not hide the next", async () => {
  expect(await told(broken, torn, kept)).toEqual({
    holds: false,
    lines: [
      "✗ Fire is cold (0.0 s)",
      "    fire.ts:1 burns",
      "    fire.ts:2 burns",
      "✗ Stones float (0.0 s)",
      "    the rule itself failed: no stone found",
      "✓ Water is wet (0.0 s)",
    ],
  });
});

test("the check holds only when every rule does", async () => {
  expect((await told(kept, kept)).holds).toBe(true);
  expect((await told(kept, broken, kept)).holds).toBe(false);
});

test("every sentence is its own", () => {
  expect(new Set(rules.map((rule) => rule.sentence)).size).toBe(rules.length);
});
