import ts from "typescript";
import type { Rule } from "./rule.ts";
import { typescriptIn } from "./sources.ts";
import { lineOf, parse } from "./syntax.ts";

function isExported(node: ts.Statement): boolean {
  return ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some((each) => each.kind === ts.SyntaxKind.ExportKeyword);
}

function isFunctionValue(node: ts.Expression | undefined): boolean {
  return node !== undefined && (ts.isArrowFunction(node) || ts.isFunctionExpression(node));
}

function functionName(node: ts.Statement): string | undefined {
  if (ts.isFunctionDeclaration(node)) return node.name?.text ?? "default";
  if (!ts.isVariableStatement(node)) return undefined;
  return node.declarationList.declarations.find((each) => isFunctionValue(each.initializer))?.name.getText();
}

function hasDocstring(node: ts.Statement): boolean {
  const text = node.getSourceFile().text;
  const comments = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  const last = comments.at(-1);
  return last !== undefined && text.startsWith("/**", last.pos) && text[last.pos + 3] !== "/";
}

function undocumented(root: string, path: string): string[] {
  const documented = new Set<string>();
  return parse(root, path).statements.flatMap((node) => {
    const name = isExported(node) ? functionName(node) : undefined;
    if (name === undefined || documented.has(name)) return [];
    if (!hasDocstring(node)) return [`${path}:${lineOf(node)} ${name} has no docstring`];
    documented.add(name);
    return [];
  });
}

/** House style: the promise, the units and the errors stand above the function. An overload needs only one. */
export const docstringsPresent: Rule = {
  sentence: "Every exported function in shared/ has a docstring",
  check: (root) => typescriptIn(root, "shared").flatMap((path) => undocumented(root, path)),
};
