import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import type { Rule } from "./rule.ts";

/** Files of a small repository, by path. */
export type Tree = Record<string, string>;

/** Writes the tree into a new folder, which is gone when the test ends. */
export function plant(tree: Tree): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-check-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Offence, then fix: the rule names what is wrong in the first tree and is silent about the second. */
export async function expectOffenceThenFix(
  rule: Rule,
  offence: Tree,
  named: string[],
  fixed: Tree,
): Promise<void> {
  const found = await rule.check(plant(offence));
  expect(found.map((line, index) => (line.includes(named[index] ?? "") ? named[index] : line))).toEqual(
    named,
  );
  expect(await rule.check(plant(fixed))).toEqual([]);
}
