import ts from "typescript";
import type { Rule } from "./rule.ts";
import { typescriptIn } from "./sources.ts";
import { descendants, lineOf, parse } from "./syntax.ts";

/** Objects whose `env` is the environment, however they are reached. */
const holders = /^(globalThis\.)?(Deno|process)$|^import\.meta$/;

function readsMember(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return node.name.text === "env" && holders.test(node.expression.getText());
  }
  if (ts.isElementAccessExpression(node)) {
    return /^["'`]env["'`]$/.test(node.argumentExpression.getText()) &&
      holders.test(node.expression.getText());
  }
  return false;
}

function takesApart(node: ts.Node): boolean {
  return ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) &&
    node.initializer !== undefined && holders.test(node.initializer.getText()) &&
    node.name.elements.some((each) => (each.propertyName ?? each.name).getText() === "env");
}

function importsProcess(node: ts.Node): boolean {
  return ts.isImportDeclaration(node) && /^["'](node:)?process["']$/.test(node.moduleSpecifier.getText());
}

function readings(root: string, path: string): string[] {
  return [...descendants(parse(root, path))]
    .filter((node) => readsMember(node) || takesApart(node) || importsProcess(node))
    .map((node) => `${path}:${lineOf(node)} reads the environment: ask shared/environment.ts`);
}

/** DESIGN §4: one list of every variable that steers the product. */
export const environmentKept: Rule = {
  sentence: "Only environment.ts reads the environment",
  check: (root) =>
    typescriptIn(root, "functions", "shared")
      .filter((path) => path !== "shared/environment.ts")
      .flatMap((path) => readings(root, path)),
};
