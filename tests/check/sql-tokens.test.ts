import { expect, test } from "vitest";
import { inside, tokenize } from "./sql-tokens.ts";

const kinds = (text: string) => tokenize(text).map((token) => `${token.kind} ${token.text}`);

test("comments, strings and quoted names are text, with their own escapes", () => {
  expect(kinds(`a -- b\n/* c /* d */ e */ 'it''s' e'f\\'g' "H""i" u&'j'`)).toEqual([
    "word a",
    "comment -- b",
    "comment /* c /* d */ e */",
    "string 'it''s'",
    "string e'f\\'g'",
    'name "H""i"',
    "string u&'j'",
  ]);
});

test("a dollar-quoted literal ends at its own tag only, and a parameter is no opener", () => {
  expect(kinds("$body$ a $$ b $body$ $1 + x$y")).toEqual([
    "dollar $body$ a $$ b $body$",
    "mark $1",
    "mark +",
    "word x$y",
  ]);
});

test("what is inside a body keeps the file's lines and columns", () => {
  const [dollar] = tokenize("\n  $$\nselect\n    1$$");
  expect(dollar && inside(dollar).map(({ text, line, column }) => [text, line, column])).toEqual([
    ["select", 3, 0],
    ["1", 4, 4],
  ]);
});

test("an unfinished quote or comment ends with the file instead of never", () => {
  expect(kinds("'a")).toEqual(["string 'a"]);
  expect(kinds("/* a")).toEqual(["comment /* a"]);
  expect(kinds("$$ a")).toEqual(["dollar $$ a"]);
});
