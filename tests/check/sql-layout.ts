import { type Remark, remarksOnClauses } from "./sql-clauses.ts";
import { statementsOf } from "./sql-statements.ts";
import { inside, type Token, tokenize } from "./sql-tokens.ts";

/** A dollar-quoted literal is a program where a function, a procedure or a `do` block is made of it. */
function programs(text: string): Token[][] {
  const bodies = statementsOf(text).flatMap(({ tokens }) => {
    const [first, ...rest] = tokens.map((token) => token.text.toLowerCase());
    const made = first === "do" || (first === "create" && /^(function|procedure|or)$/.test(rest[0] ?? ""));
    return made ? tokens.filter((token) => token.kind === "dollar") : [];
  });
  return [tokenize(text), ...bodies.map(inside)];
}

function upperCase(tokens: Token[]): Remark[] {
  return tokens.filter(({ kind, text }) => kind === "word" && text !== text.toLowerCase()).map((
    { line, text },
  ) => ({ line, text: `${text} is not lower case` }));
}

/** Lines that begin inside a string, a quoted name, a block comment or a literal are text, not layout. */
function textLines(all: Token[][]): Set<number> {
  const lines = new Set<number>();
  const bodies = new Set(all.slice(1).map((tokens) => tokens[0]?.line));
  for (const token of all.flat()) {
    const program = token.kind === "dollar" && (bodies.has(token.line) || bodies.has(token.line + 1));
    for (let line = token.line + 1; !program && line <= token.lastLine; line++) lines.add(line);
  }
  return lines;
}

function indentation(text: string, all: Token[][]): Remark[] {
  const skipped = textLines(all);
  return text.split("\n").flatMap((content, index) => {
    const line = index + 1;
    if (skipped.has(line)) return [];
    if (/\s$/.test(content)) return [{ line, text: "ends with a space" }];
    return /^( {4})*(\S|$)/.test(content) ? [] : [{ line, text: "is not indented by fours" }];
  });
}

/** Lower case, four spaces, one clause a line; a query inside parentheses that fit one line may stay on it. */
export function layoutRemarks(text: string): Remark[] {
  const all = programs(text);
  const remarks = [...all.flatMap(upperCase), ...indentation(text, all), ...all.flatMap(remarksOnClauses)];
  return remarks.sort((a, b) => a.line - b.line);
}
