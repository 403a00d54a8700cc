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
 * Which of them the connection's role may execute. The call is explained and not run: Postgres asks for the privilege
 * as it prepares to run it, and nothing happens.
 */
export async function executable(connection: ReservedSql, functions: Callable[]): Promise<Callable[]> {
  const allowed: Callable[] = [];
  for (const each of functions) {
    // Postgres runs an immutable function to plan it: what that raises was raised by somebody who may execute it.
    const refused = await connection.unsafe(`explain select ${each.call}`).then(
      () => false,
      (error: { code?: string }) => error.code === "42501",
    );
    if (!refused) allowed.push(each);
  }
  return allowed;
}
