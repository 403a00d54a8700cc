import type { TransactionSql } from "postgres";
import { StorageRefusal } from "./storage-errors.ts";

/** The version an object's row names now, locked until the transaction ends; undefined where there is none. */
export async function versionOf(
  sql: TransactionSql,
  bucket: string,
  name: string,
): Promise<string | undefined> {
  const [row] = await sql<{ version: string }[]>`
    select version from storage.objects where bucket_id = ${bucket} and name = ${name} for update
  `;
  return row?.version;
}

/** Writes an object's row and returns its id; throws where the name exists and `upsert` is false. */
export async function insert(
  sql: TransactionSql,
  row: { bucket: string; name: string; version: string; metadata: object; upsert: boolean },
): Promise<string> {
  const replace = row.upsert
    ? sql`on conflict (bucket_id, name) do update
          set version = excluded.version, metadata = excluded.metadata, updated_at = now()`
    : sql``;
  const [stored] = await sql<{ id: string }[]>`
    insert into storage.objects (bucket_id, name, version, metadata)
    values (${row.bucket}, ${row.name}, ${row.version}, ${sql.json(row.metadata as never)})
    ${replace}
    returning id
  `;
  if (!stored) throw new StorageRefusal(500, "internal", "The row was not written");
  return stored.id;
}
