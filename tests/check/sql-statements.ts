import { inside, type Token, tokenize } from "./sql-tokens.ts";

/** One statement's tokens without comments, and the comments since the statement before it. */
export interface Statement {
  tokens: Token[];
  comments: Token[];
}

/** A `create function` or `create procedure`, as far as our rules look. */
export interface SqlFunction {
  /** Schema-qualified as written. */
  name: string;
  line: number;
  lastLine: number;
  /** One list of tokens per parameter. */
  parameters: Token[][];
  returnsTrigger: boolean;
  /** Empty when the body is not dollar-quoted. */
  body: Token[];
  /** Place of the statement in its file. */
  index: number;
}

/** Splits at semicolons outside parentheses; dollar-quoted bodies are one token, so theirs do not count. */
export function statementsOf(text: string): Statement[] {
  const statements: Statement[] = [];
  let open: Statement = { tokens: [], comments: [] };
  let depth = 0;
  for (const token of tokenize(text)) {
    if (token.kind === "comment") open.comments.push(token);
    else open.tokens.push(token);
    depth += token.text === "(" ? 1 : token.text === ")" ? -1 : 0;
    if (token.text !== ";" || depth > 0) continue;
    statements.push(open);
    open = { tokens: [], comments: [] };
  }
  return open.tokens.length > 0 || open.comments.length > 0 ? [...statements, open] : statements;
}

/** The statement's first words, in lower case and one space apart: `create or replace function`. */
export function opening(statement: Statement): string {
  return statement.tokens.slice(0, 6).map((token) => token.text.toLowerCase()).join(" ");
}

/** Index of the parenthesis that closes the one at `open`. */
export function closing(tokens: Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index++) {
    const text = tokens[index]?.text;
    depth += text === "(" ? 1 : text === ")" ? -1 : 0;
    if (depth === 0) return index;
  }
  return tokens.length;
}

/** Splits at commas outside parentheses and brackets. */
export function items(tokens: Token[]): Token[][] {
  const found: Token[][] = [];
  let depth = 0;
  for (const token of tokens) {
    depth += /^[([]$/.test(token.text) ? 1 : /^[)\]]$/.test(token.text) ? -1 : 0;
    if (found.length === 0) found.push([]);
    if (token.text === "," && depth === 0) found.push([]);
    else found.at(-1)?.push(token);
  }
  return found;
}

/** Reads a possibly qualified name from `start`, and where it ends. */
export function qualifiedName(tokens: Token[], start: number): { name: string; end: number } {
  let end = start + 1;
  while (tokens[end]?.text === ".") end += 2;
  return { name: tokens.slice(start, end).map((token) => token.text).join(""), end };
}

function functionOf({ tokens }: Statement, index: number): SqlFunction[] {
  const words = tokens.map((token) => token.text.toLowerCase());
  const keyword = words.findIndex((word) => word === "function" || word === "procedure");
  const first = tokens[0];
  const creates = words[0] === "create" &&
    (keyword === 1 || words.slice(1, keyword).join(" ") === "or replace");
  if (!creates || first === undefined) return [];
  const { name, end } = qualifiedName(tokens, keyword + 1);
  const close = closing(tokens, end);
  const body = tokens.find((token) => token.kind === "dollar");
  return [{
    name,
    line: first.line,
    lastLine: tokens.at(-1)?.lastLine ?? first.line,
    parameters: items(tokens.slice(end + 1, close)),
    returnsTrigger: /^(event_)?trigger$/.test(words[words.indexOf("returns", close) + 1] ?? ""),
    body: body === undefined ? [] : inside(body).filter((token) => token.kind !== "comment"),
    index,
  }];
}

/** Every function a file creates, in order. */
export function functionsOf(text: string): SqlFunction[] {
  return statementsOf(text).flatMap(functionOf);
}
