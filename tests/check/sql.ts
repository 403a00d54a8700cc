import type { Rule } from "./rule.ts";
import { layoutRemarks } from "./sql-layout.ts";
import {
  closing,
  functionsOf,
  items,
  opening,
  type SqlFunction,
  type Statement,
  statementsOf,
} from "./sql-statements.ts";
import type { Token } from "./sql-tokens.ts";
import { listFiles, read } from "./sources.ts";

/** What a check of one migration text finds, each offence prefixed with its file. */
export function inMigrations(root: string, check: (text: string) => string[]): string[] {
  return listFiles(root, "supabase/migrations", ".sql").flatMap((path) =>
    check(read(root, path)).map((offence) => `${path}:${offence}`)
  );
}

/** House style, for all SQL we ship and run. */
export const sqlLaidOut: Rule = {
  sentence: "SQL is lower case, four spaces, one clause a line",
  check: (root) =>
    listFiles(root, "supabase", ".sql").flatMap((path) =>
      layoutRemarks(read(root, path)).map(({ line, text }) => `${path}:${line} ${text}`)
    ),
};

/** The comment lines a file begins with, as one text. */
function header(text: string): string {
  return /^(?:--[^\n]*\n)*/.exec(text)?.[0] ?? "";
}

/** A reviewer reads three lines before the first statement; the third tells an owner what waits meanwhile. */
export const migrationsExplained: Rule = {
  sentence: "Every migration opens with what, why and what it locks",
  check: (root) =>
    inMigrations(root, (text) => {
      const complete = /^-- What: \S[^]*^-- Why: \S[^]*^-- Locks: \S/m.test(header(text));
      return complete ? [] : ['1 does not open with "-- What: …", "-- Why: …", "-- Locks: …"'];
    }),
};

function starts(words: string[], index: number): boolean {
  const word = words[index] ?? "";
  const after = words[index + 1] ?? "";
  if (word === "primary" || word === "foreign") return after === "key";
  if (word === "exclude") return after === "using";
  return word === "unique" || word === "check" || (word === "references" && !words.includes("foreign"));
}

function unnamedIn(item: Token[]): string[] {
  const top = item.filter((_, index) => depthAt(item, index) === 0);
  const words = top.map((token) => token.text.toLowerCase());
  return top.flatMap((token, index) => {
    const named = words[index - 2] === "constraint";
    return starts(words, index) && !named
      ? [`${token.line} ${token.text} has no "constraint <name>" before it`]
      : [];
  });
}

function depthAt(tokens: Token[], index: number): number {
  return tokens.slice(0, index).reduce(
    (sum, { text }) => sum + (text === "(" ? 1 : text === ")" ? -1 : 0),
    0,
  );
}

function unnamed(statement: Statement): string[] {
  const { tokens } = statement;
  const words = opening(statement);
  if (/^(alter table|(create|alter) domain) /.test(words)) return items(tokens).flatMap(unnamedIn);
  if (!/^create ((temporary|temp|unlogged) )?table /.test(words)) return [];
  const open = tokens.findIndex((token) => token.text === "(");
  return open === -1 ? [] : items(tokens.slice(open + 1, closing(tokens, open))).flatMap(unnamedIn);
}

/** A violated constraint is read by its name, in logs and in our own error mapping. */
export const constraintsNamed: Rule = {
  sentence: "Every constraint is named",
  check: (root) => inMigrations(root, (text) => statementsOf(text).flatMap(unnamed)),
};

const control =
  /^(begin|commit|rollback|start transaction|savepoint|abort|end|release|prepare transaction)\b/;

function bodyControl({ body }: SqlFunction): string[] {
  return body.flatMap(({ text, line }, index) => {
    const first = /^(;|begin|then|else|loop)$/.test(body[index - 1]?.text ?? ";");
    return first && /^(commit|rollback)$/.test(text) ? [`${line} "${text}" inside a function`] : [];
  });
}

/** A failing file must roll back whole (DESIGN §6); the CLI gives each file its transaction. */
export const transactionsLeft: Rule = {
  sentence: "No migration holds transaction control",
  check: (root) =>
    inMigrations(root, (text) => [
      ...statementsOf(text).filter((statement) => control.test(opening(statement))).map((statement) =>
        `${statement.tokens[0]?.line ?? 0} "${
          statement.tokens[0]?.text ?? ""
        }": a file is one transaction already`
      ),
      ...functionsOf(text).flatMap(bodyControl),
    ]),
};
