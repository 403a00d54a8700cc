import { join } from "node:path";
import { readFileSync } from "node:fs";
import type { Rule } from "./rule.ts";
import { listFiles } from "./sources.ts";

/** Written so that no pattern matches its own source line. */
const traces: [RegExp, string][] = [
  [/\bregistry\.[a-z0-9-]+\.(?:org|com|io|net|dev)\b/i, "a registry's host name"],
  [/\b(?:npm\.pkg|npm\.jsr|pypi|deb\.debian|deb\.nodesource)\.[a-z]+\b/i, "a registry's host name"],
  [
    /(?:^|[\s"'`(=:,])\/(?:tmp|work|root|home\/\w+|Users\/\w+|var\/folders)(?=[/\s"'`),;:]|$)/,
    "a path of one machine",
  ],
];

/** Git ignores these; they may hold whatever a machine needs. */
const ignored = /(^|\/)\.env[^/]*$|\.log$/;

/** What a line gives away of the machine it was written on, if anything; `checkout` is where this clone lies. */
export function trace(line: string, checkout: string): string | undefined {
  const known = traces.find(([pattern]) => pattern.test(line))?.[1];
  return known ?? (line.includes(checkout) ? "the path of this checkout" : undefined);
}

function tracesIn(root: string, path: string): string[] {
  const bytes = readFileSync(join(root, path));
  if (bytes.includes(0)) return [];
  return bytes.toString("utf8").split("\n").flatMap((line, index) => {
    const found = trace(line, root);
    return found === undefined ? [] : [`${path}:${index + 1} names ${found}`];
  });
}

/** A clone works anywhere: nothing in it depends on where it was written. */
export const machineUnnamed: Rule = {
  sentence: "No line names a registry host or a machine path",
  check: (root) =>
    listFiles(root, "", "").filter((path) => !ignored.test(path)).flatMap((path) => tracesIn(root, path)),
};
