import { expect, test } from "vitest";
import { layoutRemarks } from "./sql-layout.ts";
import { sqlLaidOut } from "./sql.ts";
import { expectOffenceThenFix } from "./tree.ts";

const remarks = (text: string) => layoutRemarks(text).map((remark) => `${remark.line} ${remark.text}`);
const body = (text: string) => `create function f()\nas $$\nbegin\n${text}\nend;\n$$;\n`;

test("upper case is named in statements and in function bodies, never in text", async () => {
  await expectOffenceThenFix(
    sqlLaidOut,
    {
      "supabase/migrations/1_keys.sql": body("    Return now();"),
      "supabase/install/owner.sql": "SELECT 1;\n",
    },
    [
      "supabase/install/owner.sql:1 SELECT is not lower case",
      "supabase/migrations/1_keys.sql:4 Return is not lower case",
    ],
    {
      "supabase/migrations/1_keys.sql": body(
        `    -- A Comment\n    return 'A String' || "A Name" || $q$ A Literal $q$;`,
      ),
    },
  );
});

test("indentation goes by fours, and no line ends with a space", () => {
  expect(remarks("select\n  1;\n")).toEqual(["2 is not indented by fours"]);
  expect(remarks("select\n\t1;\n")).toEqual(["2 is not indented by fours"]);
  expect(remarks("select 1; \n")).toEqual(["1 ends with a space"]);
  expect(remarks(body("  return;"))).toEqual(["4 is not indented by fours"]);
  expect(remarks(body("   -- why"))).toEqual(["4 is not indented by fours"]);
  expect(remarks("select 'two\n lines ' || $t$\n three$t$;\n/*\n  prose\n*/\n")).toEqual([]);
  expect(remarks("select\n    1;\n\n")).toEqual([]);
});

test("each clause begins its line", () => {
  const offences: Record<string, string> = {
    "select a from b;": "from",
    "select a\nfrom b where c;": "where",
    "select a\nfrom b join c on true;": "join",
    "select a\nfrom b left join c on true;": "join",
    "select a\nfrom b group by a;": "group",
    "select a\nfrom b order by a;": "order",
    "select a\nfrom b\norder by a limit 1;": "limit",
    "select a\nfrom b for update;": "for",
    "select a union\nselect b;": "union",
    "insert into a (b) values (1);": "values",
    "insert into a (b) select 1;": "select",
    "insert into a (b)\nvalues (1) on conflict do nothing;": "on",
    "insert into a (b)\nvalues (1) returning b;": "returning",
    "update a set b = 1;": "set",
    "update a\nset b = 1 where c;": "where",
    "delete from a where b;": "where",
    "delete from a using b;": "using",
    "create view v as select a from b;": "from",
  };
  for (const [sql, clause] of Object.entries(offences)) {
    expect(remarks(sql).map((remark) => remark.slice(2)), sql).toEqual([
      `"${clause}" does not begin its line`,
    ]);
  }
});

test("words that begin no clause where they stand are left alone", () => {
  const fine = [
    "select\n    a,\n    b\nfrom c\ncross join lateral d\nwhere a is distinct from b;",
    "with a as (select b from c where d)\nselect *\nfrom a;",
    "select extract(epoch from a), array_agg(b order by b), count(*) filter (where c)\nfrom d;",
    "insert into a (b)\nvalues (1)\non conflict (b) where c do update set b = excluded.b\nreturning b;",
    "insert into a default values;",
    "create index i on a (b) where c is null;",
    "create trigger t before update or delete on a for each row execute function f();",
    "create table a (b text constraint c references d (b) on update cascade on delete set null);",
    "create policy p on a for select to r using (b = (select f()));",
    "grant select, update on a to r;\nrevoke all on a from r;",
    "alter function f() set search_path = pg_catalog, pg_temp;",
    body("    for v in select a\n    from b\n    loop\n        null;\n    end loop;"),
    body("    if exists (select from a where b) then\n        perform f();\n    end if;"),
    body("    v := case when a then b else c end;\n    delete from a\n    where b;"),
    body("    select a into v\n    from b;\n    raise sqlstate 'PT404' using message = 'gone';"),
  ];
  for (const sql of fine) expect(remarks(sql), sql).toEqual([]);
});

test("a query spread over lines inside parentheses keeps one clause a line, too", () => {
  expect(remarks("select (\n    select a from b\n    where c\n);")).toEqual([
    '2 "from" does not begin its line',
  ]);
});
