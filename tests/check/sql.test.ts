import { test } from "vitest";
import { constraintsNamed, migrationsExplained, transactionsLeft } from "./sql.ts";
import { expectOffenceThenFix } from "./tree.ts";

const migration = (text: string) => ({ "supabase/migrations/1_keys.sql": text });
const at = (line: number, text: string) => `supabase/migrations/1_keys.sql:${line} ${text}`;

test("a migration that does not say what, why and what it locks is named", async () => {
  const head = "-- What: keys.\n-- Why: callers.\n--   Two lines of why.\n-- Locks: nothing.\n";
  const without = (label: string) => migration(head.replace(`-- ${label}:`, "--"));
  for (const offence of [without("What"), without("Why"), without("Locks"), migration(`\n${head}`)]) {
    await expectOffenceThenFix(
      migrationsExplained,
      offence,
      [at(1, "does not open with")],
      migration(`${head}\n`),
    );
  }
});

test("a constraint without a name is named by its line, in a table, a column, an alteration and a domain", async () => {
  await expectOffenceThenFix(
    constraintsNamed,
    migration(`create table mailpipe.keys (
    id text primary key,
    a text not null default f(1, 2) check (a in ('b', 'c')),
    b text constraint keys_b unique references mailpipe.others (id) on delete set null,
    unique (a, b),
    foreign key (a) references mailpipe.others (a),
    exclude using gist (a with =)
);
alter table mailpipe.keys add check (a <> ''), add constraint keys_c unique (c);
create domain mailpipe.id as text check (value <> '');
`),
    [
      at(2, "primary"),
      at(3, "check"),
      at(4, "references"),
      at(5, "unique"),
      at(6, "foreign"),
      at(7, "exclude"),
      at(9, "check"),
      at(10, "check"),
    ],
    migration(`create table mailpipe.keys (
    id text constraint keys_pkey primary key,
    checked boolean not null generated always as (true) stored,
    constraint keys_a check (length(id) in (select 1 where (true))),
    constraint keys_others foreign key (a) references mailpipe.others (a),
    constraint "keys b" exclude using gist (a with =)
);
create unique index keys_b on mailpipe.keys (b);
create policy members on mailpipe.keys for insert with check (true);
alter table mailpipe.keys add constraint keys_c unique (c), validate constraint keys_d;
`),
  );
});

test("transaction control is named at the top and inside a body, not as text", async () => {
  const body = (text: string) =>
    `create procedure p()\nlanguage plpgsql\nas $$\nbegin\n    ${text}\nend;\n$$;\n`;
  await expectOffenceThenFix(
    transactionsLeft,
    migration(`begin;\nselect 1;\ncommit;\nsavepoint a;\n${body("commit;")}`),
    [at(1, '"begin"'), at(3, '"commit"'), at(4, '"savepoint"'), at(9, '"commit" inside a function')],
    migration(`-- begin;\nselect 'commit;';\n${body("-- rollback;\n    perform x.commit;")}`),
  );
});
