import ts from "typescript";
import { read } from "./sources.ts";

/** The parsed file, with parents set; no types are resolved, so it costs milliseconds. */
export function parse(root: string, path: string): ts.SourceFile {
  return ts.createSourceFile(path, read(root, path), ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
}

/** Every node below (and with) this one, parents first. */
export function* descendants(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* descendants(child);
}

/** Line of a node's first character, counted from 1. */
export function lineOf(node: ts.Node): number {
  const source = node.getSourceFile();
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}
