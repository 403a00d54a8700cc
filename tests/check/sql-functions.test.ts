import { expect, test } from "vitest";
import { doorsGuarded, functionsSettled, parametersPrefixed, unauthenticated } from "./sql-functions.ts";
import { expectOffenceThenFix, plant } from "./tree.ts";

const migration = (text: string) => ({ "supabase/migrations/1_keys.sql": text });
const at = (line: number, text: string) => `supabase/migrations/1_keys.sql:${line} ${text}`;

const made = (name: string, parameters = "", returns = "void") =>
  `create function ${name}(${parameters})\nreturns ${returns}\nas $$ select mailpipe.authenticate(p_caller) $$;\n`;
const revoke = (name: string) => `revoke execute on function ${name}() from public, anon, authenticated;\n`;
const grant = (name: string) => `grant execute on function ${name}() to service_role;\n`;
const owner = (name: string) =>
  `grant create on schema mailpipe to mailpipe_tenant;\nalter function ${name}() owner to mailpipe_tenant;\n`;

test("a function needs both statements under it, before anything else", async () => {
  const settled = made("a.f") + owner("a.f") + revoke("a.f") + grant("a.f");
  const offences: [string, string[]][] = [
    [made("a.f") + grant("a.f"), ["a.f is not revoked"]],
    [made("a.f") + revoke("a.f"), ["a.f is granted to nobody"]],
    [made("a.f") + revoke("a.f").replace(", anon", "") + grant("a.f"), ["a.f is not revoked"]],
    [made("a.f") + revoke("a.g") + grant("a.g"), ["a.f is not revoked", "a.f is granted to nobody"]],
    [made("a.f") + "select 1;\n" + revoke("a.f") + grant("a.f"), [
      "a.f is not revoked",
      "a.f is granted to nobody",
    ]],
    [made("a.f") + made("a.g") + revoke("a.g") + grant("a.g"), [
      "a.f is not revoked",
      "a.f is granted to nobody",
    ]],
  ];
  for (const [sql, named] of offences) {
    await expectOffenceThenFix(
      functionsSettled,
      migration(sql),
      named.map((text) => at(1, text)),
      migration(settled),
    );
  }
});

test("a trigger function is revoked and granted to nobody, another one says why it is not", async () => {
  const inner = made("a.f") + revoke("a.f");
  await expectOffenceThenFix(
    functionsSettled,
    migration(`${inner}-- Granted to nobody:\n${made("a.t", "", "trigger")}`),
    [at(1, "a.f is granted to nobody"), at(6, "a.t is not revoked")],
    migration(
      `${inner}-- Granted to nobody: only authenticate calls it.\n${made("a.t", "", "trigger")}${
        revoke("a.t")
      }`,
    ),
  );
});

test("a parameter without the prefix is named, whatever its mode or default", async () => {
  const types = "p_a numeric(10, 2) default f(1, 2)";
  await expectOffenceThenFix(
    parametersPrefixed,
    migration(made("a.f", `id text, ${types}, inout b text, variadic c text[], jsonb`)),
    [at(1, "parameter id"), at(1, "parameter b"), at(1, "parameter c"), at(1, "parameter jsonb")],
    migration(
      made("a.f", `${types}, out total int, in p_b text`) + made("a.g", "", "table (id text, name text)"),
    ),
  );
});

test("an API function that does not call authenticate is named; a helper of the data schema need not", async () => {
  const open = (name: string, body: string) =>
    `create or replace function ${name}()\nreturns int\nas $$ ${body} $$;\n`;
  await expectOffenceThenFix(
    doorsGuarded,
    migration(open("mailpipe_api.f", "-- authenticate(\n select 'authenticate(' || authenticate")),
    [at(1, "mailpipe_api.f calls no authenticate(")],
    migration(
      open("mailpipe_api.f", "select mailpipe.authenticate (p_caller)") + open("mailpipe.g", "select 1"),
    ),
  );
});

test("an excuse for an open API function is accepted by name, and refused once it is not needed", () => {
  const root = plant(migration("create function mailpipe_api.health()\nreturns int\nas $$ select 1 $$;\n"));
  expect(unauthenticated(root, { "mailpipe_api.health": "shows no row" })).toEqual([]);
  expect(unauthenticated(plant({}), { "mailpipe_api.health": "shows no row" })).toEqual([
    "tests/check/exceptions.ts excuses mailpipe_api.health, which needs no excuse",
  ]);
});
