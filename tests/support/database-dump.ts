import type postgres from "postgres";
import type { Source } from "./evidence.ts";

/** A table, or another place a database keeps text in, and all that stands there. */
export interface Dumped {
  source: Source;
  place: string;
  text: string;
}

/** What a dump holds besides tables; objects below 16384 are PostgreSQL's own. */
const definitions: Record<string, string> = {
  "function bodies": "select prosrc as line from pg_proc where oid >= 16384",
  "argument defaults": "select pg_get_function_arguments(oid) as line from pg_proc where oid >= 16384",
  "column defaults": "select pg_get_expr(adbin, adrelid) as line from pg_attrdef",
  "constraints": "select pg_get_constraintdef(oid) as line from pg_constraint where oid >= 16384",
  "views":
    "select definition as line from pg_views where schemaname not in ('pg_catalog', 'information_schema')",
  "policies": "select concat_ws(' ', qual, with_check) as line from pg_policies",
  "comments": "select description as line from pg_description where objoid >= 16384",
  "settings": "select setconfig::text as line from pg_db_role_setting",
};

/**
 * A query for every table's every row, columns in plain text as they stand and bytea in hex, so that what
 * was put in is found as it was put in. Unlogged tables and those of the platform count: a dump has them.
 */
async function tableQueries(sql: postgres.Sql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string; columns: string }[]>`
    select
      format('%I.%I', space.nspname, class.relname) as name,
      string_agg(format('%I::text', field.attname), ', ') as columns
    from pg_class as class
    join pg_namespace as space on space.oid = class.relnamespace
    join pg_attribute as field on field.attrelid = class.oid and field.attnum > 0 and not field.attisdropped
    where class.relkind in ('r', 'm')
      and space.nspname not in ('pg_catalog', 'information_schema')
    group by space.nspname, class.relname
  `;
  return Object.fromEntries(
    tables.map(({ name, columns }) => [name, `select concat_ws(E'\\t', ${columns}) as line from ${name}`]),
  );
}

/** One statement for all of them: some eighty round trips less for each database. */
function together(queries: Record<string, string>): string {
  return Object.entries(queries).map(([place, query]) =>
    `select '${
      place.replaceAll("'", "''")
    }' as place, string_agg(line, E'\\n') as text from (${query}) as lines`
  ).join(" union all ");
}

async function run(sql: postgres.Sql, source: Source, queries: Record<string, string>): Promise<Dumped[]> {
  const rows = await sql.unsafe<{ place: string; text: string | null }[]>(together(queries));
  return rows.map(({ place, text }) => ({ source, place, text: text ?? "" }));
}

/** Everything a database holds that a dump would, and what is being asked in it. */
export async function dumpDatabase(sql: postgres.Sql): Promise<Dumped[]> {
  const queries = "select query as line from pg_stat_activity where datname = current_database()";
  return [
    ...await run(sql, "pg_stat_activity", { queries }),
    ...await run(sql, "dump", { ...await tableQueries(sql), ...definitions }),
  ];
}

/**
 * Every statement that PostgreSQL remembers, of databases dropped since, too; `sql` is of a database with the
 * extension. Throws when one was forgotten, for that could not be searched.
 */
export async function dumpStatements(sql: postgres.Sql): Promise<Dumped[]> {
  const [info] = await sql<{ dealloc: string }[]>`select dealloc from extensions.pg_stat_statements_info`;
  if (info?.dealloc !== "0") throw new Error("pg_stat_statements forgot some: raise pg_stat_statements.max.");
  return await run(sql, "pg_stat_statements", {
    "the whole run": "select query as line from extensions.pg_stat_statements",
  });
}
