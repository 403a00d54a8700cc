import { openToAll } from "./exceptions.ts";
import type { Rule } from "./rule.ts";
import {
  functionsOf,
  opening,
  qualifiedName,
  type SqlFunction,
  type Statement,
  statementsOf,
} from "./sql-statements.ts";
import type { Token } from "./sql-tokens.ts";
import { inMigrations } from "./sql.ts";

/** Statements that settle who owns and who may run the function just made. */
function settles({ name }: SqlFunction, statement: Statement): boolean {
  const words = opening(statement);
  const schema = /^(grant|revoke) create on schema /.test(words);
  const about = /^(grant|revoke|alter function|alter procedure|comment on (function|procedure)) /.test(words);
  const named = statement.tokens.some((_, index) => qualifiedName(statement.tokens, index).name === name);
  return schema || (about && named);
}

function below(statements: Statement[], made: SqlFunction): { block: Statement[]; comments: Token[] } {
  const rest = statements.slice(made.index + 1);
  const stop = rest.findIndex((statement) => !settles(made, statement));
  const block = stop === -1 ? rest : rest.slice(0, stop);
  const following = stop === -1 ? [] : rest[stop]?.comments ?? [];
  return { block, comments: [...block.flatMap((statement) => statement.comments), ...following] };
}

function revokesFromAll({ tokens }: Statement): boolean {
  const words = tokens.map((token) => token.text.toLowerCase());
  const from = words.lastIndexOf("from");
  return words[0] === "revoke" &&
    ["public", "anon", "authenticated"].every((role) => words.indexOf(role, from) > from);
}

function unsettled(text: string): string[] {
  const statements = statementsOf(text);
  return functionsOf(text).flatMap((made) => {
    const { block, comments } = below(statements, made);
    const revoked = block.some((statement) =>
      / on (function|procedure) /.test(opening(statement)) && revokesFromAll(statement)
    );
    const excused = comments.some((comment) => /^-- granted to nobody: \S/i.test(comment.text));
    const granted = made.returnsTrigger || excused ||
      block.some((each) => /^grant (execute|all) on /.test(opening(each)));
    return [
      ...(revoked
        ? []
        : [`${made.line} ${made.name} is not revoked from public, anon, authenticated under it`]),
      ...(granted ? [] : [`${made.line} ${made.name} is granted to nobody under it`]),
    ];
  });
}

/** Postgres lets everyone run a new function. A trigger function is nobody's to call, so it needs no grant. */
export const functionsSettled: Rule = {
  sentence: "Every function has its revoke and grant directly under it",
  check: (root) => inMigrations(root, unsettled),
};

function plainParameter(parameter: Token[]): string[] {
  const words = parameter.map((token) => token.text.toLowerCase());
  const modes = words.findIndex((word) => !/^(in|inout|variadic)$/.test(word));
  const name = parameter[modes];
  if (name === undefined || words[0] === "out" || name.text.startsWith("p_")) return [];
  return [`${name.line} parameter ${name.text} lacks the prefix p_`];
}

/** A parameter that equals a column fails at run time only, with 42702. */
export const parametersPrefixed: Rule = {
  sentence: "Every parameter is prefixed p_",
  check: (root) =>
    inMigrations(
      root,
      (text) => functionsOf(text).flatMap((made) => made.parameters.flatMap(plainParameter)),
    ),
};

function authenticates({ body }: SqlFunction): boolean {
  return body.some(({ text }, index) => text === "authenticate" && body[index + 1]?.text === "(");
}

/** What is in mailpipe_api, calls no `authenticate(` and is not excused; and every excuse nothing needs any more. */
export function unauthenticated(root: string, excused: Record<string, string>): string[] {
  const seen = new Set<string>();
  const offences = inMigrations(root, (text) => {
    const open = functionsOf(text).filter((each) =>
      each.name.startsWith("mailpipe_api.") && !authenticates(each)
    );
    open.forEach((each) => seen.add(each.name));
    return open.filter(({ name }) => !(name in excused)).map(({ line, name }) =>
      `${line} ${name} calls no authenticate(`
    );
  });
  const stale = Object.keys(excused).filter((name) => !seen.has(name));
  return [
    ...offences,
    ...stale.map((name) => `tests/check/exceptions.ts excuses ${name}, which needs no excuse`),
  ];
}

/** DESIGN §6: raw SQL as `service_role` could pin any tenant, so every door asks who is there. */
export const doorsGuarded: Rule = {
  sentence: "Every API function calls authenticate",
  check: (root) => unauthenticated(root, openToAll),
};
