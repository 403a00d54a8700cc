import type { ReservedSql, Sql } from "postgres";

/** One row, as whoever sees everything finds it. */
export interface StoredRow {
  /** Its primary key, as a JSON array. */
  key: string;
  /** Where this version of it lies: another place is another version. */
  place: string;
  row: Record<string, unknown>;
}

/** A relation of the schema mailpipe, with what it holds. */
export interface StoredTable {
  name: string;
  columns: string[];
  /** SQL for a row's primary key, and for where its version lies; of a view the whole row, and nowhere. */
  key: string;
  place: string;
  /** Columns a statement may give a value. */
  settable: string[];
  /** Columns each role may give a new row. */
  insertable: Record<string, string[]>;
  /** Columns each role may update. */
  updatable: Record<string, string[]>;
  rows: StoredRow[];
}

/** Everything with rows in the schema, and those rows. */
export async function storedTables(admin: Sql): Promise<StoredTable[]> {
  const found = await admin<Omit<StoredTable, "rows">[]>`
    select
      relname as name,
      array_agg(attname::text order by attnum) as columns,
      array_agg(attname::text order by attnum) filter (where attidentity <> 'a' and attgenerated = '') as settable,
      coalesce((
        select format('jsonb_build_array(%s)::text', string_agg(quote_ident(part.attname), ', ' order by part.attnum))
        from pg_index
        join pg_attribute as part on part.attrelid = indrelid and part.attnum = any (indkey)
        where indrelid = pg_class.oid and indisprimary
      ), 'to_jsonb(it)::text') as key,
      case when relkind in ('r', 'p') then 'ctid::text' else 'null' end as place,
      (
        select jsonb_object_agg(rolname, to_jsonb(array(
          select attname
          from pg_attribute
          where attrelid = pg_class.oid and attnum > 0 and has_column_privilege(pg_roles.oid, attrelid, attnum, 'insert')
        )))
        from pg_roles
      ) as insertable,
      (
        select jsonb_object_agg(rolname, to_jsonb(array(
          select attname
          from pg_attribute
          where attrelid = pg_class.oid and attnum > 0 and has_column_privilege(pg_roles.oid, attrelid, attnum, 'update')
        )))
        from pg_roles
      ) as updatable
    from pg_class
    join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
    where relnamespace = 'mailpipe'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')
    group by pg_class.oid
    order by relname
  `;
  return Promise.all(found.map(async (table) => ({ ...table, rows: await storedRows(admin, table) })));
}

/** The rows of one table. */
export function storedRows(
  sql: Sql | ReservedSql,
  { name, key, place }: Pick<StoredTable, "name" | "key" | "place">,
): Promise<StoredRow[]> {
  return sql.unsafe<StoredRow[]>(
    `select ${key} as key, ${place} as place, to_jsonb(it) as row from mailpipe.${name} as it`,
  );
}

/** The organization a row is of; none for what belongs to the installation. */
export function organizationOf(table: StoredTable, { row }: StoredRow): unknown {
  return table.name === "organizations" ? row["id"] : row["organization_id"];
}

/** Whose rows an actor's may be. */
export interface Identity {
  organization_id: string;
  environment: string;
  user_id: string;
}

/** A table's rows by what they are to somebody: the words an outcome may have, narrowest first. */
export function circles(table: StoredTable, me: Identity): [word: string, keys: string[]][] {
  const organization = table.rows.filter((row) => organizationOf(table, row) === me.organization_id);
  const among = (column: "environment" | "user_id") =>
    organization.filter(({ row }) => row[column] === me[column]);
  const list: [string, StoredRow[]][] = [["none", []]];
  if (table.columns.includes("environment")) list.push(["own", among("environment")]);
  if (table.name === "members") list.push(["self", among("user_id")]);
  if (table.columns.includes("organization_id") || table.name === "organizations") {
    list.push(["org", organization]);
  }
  list.push(["all", table.rows]);
  return list.map(([word, rows]) => [word, rows.map(({ key }) => key).sort()]);
}

/** The word for exactly these rows. */
export function wordFor(table: StoredTable, me: Identity, keys: string[]): string {
  const sorted = [...keys].sort().join("\n");
  const [word] = circles(table, me).find(([, circle]) => circle.join("\n") === sorted) ?? [];
  return word ?? `rows(${keys.length})`;
}
