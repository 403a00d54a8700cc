import type { Rule } from "./rule.ts";
import { read } from "./sources.ts";

interface LockedPackage {
  optionalDependencies?: Record<string, string>;
}

interface Lock {
  packages?: Record<string, LockedPackage>;
}

/** Where Node would look for a package asked for from inside another one, nearest first. */
function places(from: string, name: string): string[] {
  const parts = from === "" ? [] : from.split("/node_modules/");
  const nested = parts.map((_, depth) =>
    `${parts.slice(0, parts.length - depth).join("/node_modules/")}/node_modules/${name}`
  );
  return [...nested, `node_modules/${name}`];
}

function absent(packages: Record<string, LockedPackage>): string[] {
  return Object.entries(packages).flatMap(([from, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !places(from, name).some((place) => place in packages))
      .map((name) => `package-lock.json lacks ${name}, which ${from} may need on another platform`)
  );
}

/** npm leaves out what its registry does not carry, and `npm ci` then refuses the lock on every machine. */
export const lockComplete: Rule = {
  sentence: "The package lock is complete for other platforms",
  check(root) {
    const { packages = {} } = JSON.parse(read(root, "package-lock.json") || "{}") as Lock;
    return Object.keys(packages).length === 0 ? ["package-lock.json is missing or empty"] : absent(packages);
  },
};
