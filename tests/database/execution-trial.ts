import type { ReservedSql, Sql } from "postgres";

/** A function, and a call of it with nulls for arguments. */
export interface Callable {
  schema: string;
  name: string;
  call: string;
}

/** Every function of both our schemas. */
export function callables(admin: Sql): Promise<Callable[]> {
  return admin<Callable[]>`
    select
      nspname as schema,
      proname as name,
      format('%I.%I(%s)', nspname, proname, (
        select string_agg(format('null::%s', format_type(type, null)), ', ' order by place)
        from unnest(proargtypes) with ordinality as argument (type, place)
      )) as call
    from pg_proc
    join pg_namespace on pg_namespace.oid = pronamespace
    where nspname in ('mailpipe', 'mailpipe_api')
    order by schema, name
  `;
}

/**
 * Which of them the connection's role may execute. The call is prepared to run and explained, not run: Postgres asks
 * for the privilege then, and nothing happens.
 */
export async function executable(connection: ReservedSql, functions: Callable[]): Promise<Callable[]> {
  const allowed: Callable[] = [];
  for (const each of functions) {
    try {
      await connection.unsafe(`explain select ${each.call}`);
      allowed.push(each);
    } catch (error) {
      if ((error as { code?: string }).code !== "42501") throw error;
    }
  }
  return allowed;
}
