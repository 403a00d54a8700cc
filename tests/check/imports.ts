import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";
import { descendants, lineOf, parse } from "./syntax.ts";

/** One place where a file names another module: static, dynamic, re-exported or type-only alike. */
export interface Import {
  from: string;
  line: number;
  specifier: string;
  /** Path relative to root when the specifier is relative, whether or not the file exists. */
  target: string | undefined;
}

function specifierOf(node: ts.Node): ts.Expression | ts.TypeNode | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return node.argument;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return node.arguments[0];
  }
  return undefined;
}

function textOf(node: ts.Expression | ts.TypeNode): string | undefined {
  const literal = ts.isLiteralTypeNode(node) ? node.literal : node;
  return ts.isStringLiteralLike(literal) ? literal.text : undefined;
}

/** Everything a file imports, in the order it is written. */
export function importsOf(root: string, path: string): Import[] {
  const found: Import[] = [];
  for (const node of descendants(parse(root, path))) {
    const named = specifierOf(node);
    const specifier = named === undefined ? undefined : textOf(named);
    if (specifier === undefined) continue;
    const relative = specifier.startsWith(".");
    const target = relative ? posix.join(posix.dirname(path), specifier) : undefined;
    found.push({ from: path, line: lineOf(node), specifier, target });
  }
  return found;
}

/** Package of a bare specifier: `npm:@a/b@1/c`, `@a/b/c` and `@a/b` are all `@a/b`. */
export function packageOf(specifier: string): string {
  const bare = specifier.replace(/^npm:\/?/, "");
  const match = /^(@[^/@]+\/[^/@]+|[^/@]+)/.exec(bare);
  return match?.[1] ?? bare;
}

/**
 * Every file of ours that an entry carries: itself and all it reaches by relative imports, sorted.
 * The value is the chain of files that leads there.
 */
export function closure(root: string, entry: string): Map<string, string[]> {
  const chains = new Map<string, string[]>([[entry, [entry]]]);
  for (const [path, chain] of chains) {
    if (!path.endsWith(".ts") || !existsSync(join(root, path))) continue;
    for (const { target } of importsOf(root, path)) {
      if (target !== undefined && !chains.has(target)) chains.set(target, [...chain, target]);
    }
  }
  return new Map([...chains].sort(([a], [b]) => (a < b ? -1 : 1)));
}
