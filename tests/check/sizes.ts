import ts from "typescript";
import { longOnes } from "./exceptions.ts";
import type { Rule } from "./rule.ts";
import { countLines, listFiles, read, slugs, typescriptIn } from "./sources.ts";
import { functionsOf } from "./sql-statements.ts";
import { descendants, lineOf, parse } from "./syntax.ts";

/** DESIGN §4, in lines. */
const limits = { entry: 60, module: 150, typescriptFunction: 30, sqlFunction: 40, migration: 150 };

interface Measure {
  name: string;
  lines: number;
  limit: number;
}

function wholeFile(root: string, path: string, limit: number): Measure {
  return { name: path, lines: countLines(read(root, path)), limit };
}

function nameOf(node: ts.FunctionLikeDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  const assigned = named ?? (ts.isPropertyAssignment(node.parent) ? node.parent.name : undefined);
  return assigned?.getText() ?? `line ${lineOf(node)}`;
}

/** A function's lines run from its first word to its last brace; its docstring is not counted. */
function typescriptFunctions(root: string, path: string): Measure[] {
  const source = parse(root, path);
  return [...descendants(source)].filter((node) => ts.isFunctionLike(node) && "body" in node && node.body)
    .map(
      (node) => ({
        name: `${path} ${nameOf(node as ts.FunctionLikeDeclaration)}`,
        lines: countLines(node.getText(source)),
        limit: limits.typescriptFunction,
      }),
    );
}

function sqlFunctions(root: string, path: string): Measure[] {
  return functionsOf(read(root, path)).map((each) => ({
    name: `${path} ${each.name}`,
    lines: each.lastLine - each.line + 1,
    limit: limits.sqlFunction,
  }));
}

function measures(root: string): Measure[] {
  const migrations = listFiles(root, "supabase/migrations", ".sql");
  const modules = typescriptIn(root, "shared", "supabase/local", "supabase/install");
  return [
    ...slugs(root).map((slug) => wholeFile(root, `functions/${slug}/index.ts`, limits.entry)),
    ...modules.map((path) => wholeFile(root, path, limits.module)),
    ...migrations.map((path) => wholeFile(root, path, limits.migration)),
    ...[...typescriptIn(root, "functions"), ...modules].flatMap((path) => typescriptFunctions(root, path)),
    ...migrations.flatMap((path) => sqlFunctions(root, path)),
  ];
}

/** What is too long and not excused, and every excuse nothing needs any more. */
export function tooLong(root: string, excused: Record<string, string>): string[] {
  const long = measures(root).filter(({ lines, limit }) => lines > limit);
  const stale = Object.keys(excused).filter((name) => !long.some((each) => each.name === name));
  return [
    ...long.filter(({ name }) => !(name in excused)).map(({ name, lines, limit }) =>
      `${name}: ${lines} lines, aim at ${limit}`
    ),
    ...stale.map((name) => `tests/check/exceptions.ts excuses ${name}, which is not too long`),
  ];
}

/** DESIGN §4: a longer one wants a reason, not a split that hides it. */
export const sizesKept: Rule = {
  sentence: "Entries, modules, functions and migrations keep their sizes",
  check: (root) => tooLong(root, longOnes),
};
