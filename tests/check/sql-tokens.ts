/** What a piece of SQL is: code is in words, marks and numbers; the rest is text the database never parses as ours. */
export type TokenKind = "word" | "name" | "string" | "dollar" | "comment" | "number" | "mark";

/** One piece of SQL with where it stands in the whole file; lines count from 1, columns from 0. */
export interface Token {
  kind: TokenKind;
  text: string;
  line: number;
  column: number;
  lastLine: number;
}

/** In this order: a comment opener or a quote wins over the mark it begins with. */
const shapes: [TokenKind, RegExp][] = [
  ["comment", /--[^\n]*/y],
  ["string", /(?:[eE]'(?:[^'\\]|\\[^]|'')*'?)|(?:(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'?)/y],
  ["name", /(?:[uU]&)?"(?:[^"]|"")*"?/y],
  ["word", /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ["number", /\d[\w.]*/y],
  ["mark", /<>|[<>!]=|::|:=|=>|\.\.|->>?|\|\||\$\d+|[^]/y],
];

/** Block comments nest in Postgres, which no regular expression follows. */
function blockComment(text: string, start: number): number | undefined {
  if (!text.startsWith("/*", start)) return undefined;
  let depth = 0;
  for (const { 0: mark, index } of text.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += mark === "/*" ? 1 : -1;
    if (depth === 0) return start + index + 2;
  }
  return text.length;
}

function dollarQuoted(text: string, start: number): number | undefined {
  const opener = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
  opener.lastIndex = start;
  const tag = opener.exec(text)?.[0];
  if (tag === undefined) return undefined;
  const close = text.indexOf(tag, start + tag.length);
  return close === -1 ? text.length : close + tag.length;
}

function next(text: string, start: number): [TokenKind, number] {
  const block = blockComment(text, start);
  if (block !== undefined) return ["comment", block];
  const dollar = dollarQuoted(text, start);
  if (dollar !== undefined) return ["dollar", dollar];
  for (const [kind, shape] of shapes) {
    shape.lastIndex = start;
    const found = shape.exec(text);
    if (found !== null) return [kind, start + found[0].length];
  }
  return ["mark", start + 1];
}

/** Splits SQL into tokens as Postgres' own scanner would; the first line and column may be those of a larger file. */
export function tokenize(text: string, line = 1, column = 0): Token[] {
  const tokens: Token[] = [];
  const space = /\s*/y;
  const at = { line, column };
  const move = (piece: string) => {
    const breaks = piece.split("\n");
    at.line += breaks.length - 1;
    at.column = breaks.length > 1 ? (breaks.at(-1) ?? "").length : at.column + piece.length;
  };
  for (let position = 0; position < text.length;) {
    space.lastIndex = position;
    const blank = space.exec(text)?.[0] ?? "";
    move(blank);
    position += blank.length;
    if (position >= text.length) break;
    const [kind, end] = next(text, position);
    const piece = text.slice(position, end);
    const start = { ...at };
    move(piece);
    tokens.push({ kind, text: piece, ...start, lastLine: at.line });
    position = end;
  }
  return tokens;
}

/** The tokens inside a dollar-quoted body, in the same file's lines and columns. */
export function inside(dollar: Token): Token[] {
  const tag = /^\$[^$]*\$/.exec(dollar.text)?.[0] ?? "";
  const end = dollar.text.endsWith(tag) ? -tag.length : undefined;
  return tokenize(dollar.text.slice(tag.length, end), dollar.line, dollar.column + tag.length);
}
