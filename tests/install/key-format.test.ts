import { execFile, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { isWholeKey, mintKey } from "../../shared/keys.ts";
import { readBlock } from "./readme-block.ts";

async function vectors(): Promise<[string, boolean][]> {
  const readme = await readFile(resolve(import.meta.dirname, "../../README.md"), "utf8");
  return [...readme.matchAll(/^\| `(mp_\w+)` \| (whole|mistyped) \|$/gm)].map((
    [, key = "", verdict],
  ) => [key, verdict === "whole"]);
}

test("the README's test vectors are what our own check says of them", async () => {
  const all = await vectors();
  expect(all.length).toBeGreaterThanOrEqual(4);
  expect(all.map(([key]) => [key, isWholeKey(key)])).toEqual(all);
});

const python = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!python)("the README's Python says the same of them, and of a hundred keys we mint", async () => {
  const fresh = Array.from({ length: 100 }, (_, turn) => mintKey(turn % 2 ? "live" : "test").plain);
  const all = [...await vectors(), ...fresh.map((key) => [key, true] as [string, boolean])];
  const program = `${await readBlock("checksum")}
import json, sys
print(json.dumps([is_whole(key) for key in json.loads(sys.argv[1])]))`;
  const { stdout } = await promisify(execFile)("python3", [
    "-c",
    program,
    JSON.stringify(all.map(([key]) => key)),
  ]);
  expect(JSON.parse(stdout)).toEqual(all.map(([, whole]) => whole));
});
