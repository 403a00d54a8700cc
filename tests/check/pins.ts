import { importsOf, packageOf } from "./imports.ts";
import type { Rule } from "./rule.ts";
import { read, typescriptIn } from "./sources.ts";

interface Manifest {
  imports?: Record<string, string>;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const exact = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

function manifest(root: string, path: string): Manifest {
  return JSON.parse(read(root, path) || "{}") as Manifest;
}

function loose(all: Record<string, string>): string[] {
  return Object.entries(all).filter(([, version]) => !exact.test(version)).map(([name, version]) =>
    `package.json: ${name} is "${version}": pin one exact version`
  );
}

function differing(imports: Record<string, string>, all: Record<string, string>): string[] {
  return Object.entries(imports).flatMap(([name, target]) => {
    const wanted = `npm:${name}@${all[name] ?? "<not in package.json>"}`;
    return target === wanted ? [] : [`deno.json: ${name} is "${target}", package.json says "${wanted}"`];
  });
}

/** `node:` modules are built into both runtimes; everything else that is not a path must be mapped. */
function unmapped(root: string, imports: Record<string, string>): string[] {
  return typescriptIn(root, "functions", "shared").flatMap((path) => importsOf(root, path)).flatMap(
    (each) => {
      const { from, line, specifier, target } = each;
      const known = target !== undefined || specifier.startsWith("node:");
      const mapped = known || (!specifier.startsWith("npm:") && packageOf(specifier) in imports);
      return mapped ? [] : [`${from}:${line} imports ${specifier}, which deno.json does not map`];
    },
  );
}

/** deno.json is the only lock that reaches production, package.json the only one the tests see. */
export const pinsAgree: Rule = {
  sentence: "deno.json and package.json pin the same exact versions",
  check(root) {
    const { imports = {} } = manifest(root, "deno.json");
    const { dependencies = {}, devDependencies = {} } = manifest(root, "package.json");
    const all = { ...devDependencies, ...dependencies };
    return [...loose(all), ...differing(imports, all), ...unmapped(root, imports)];
  },
};
