import type { Sql } from "postgres";

// The CLI's own record of migrations is not ours, and what plain temp and toast schemas hold is nobody's.
const outside = (namespace: string) =>
  `${namespace} !~ '^(mailpipe(_api)?|supabase_migrations|pg_toast.*|pg_temp.*)$'`;

/**
 * Everything of a database that is not ours and that a migration could change, one line each: privileges, owners,
 * default privileges, role settings, memberships, policies, functions, triggers, buckets, jobs and Vault's names.
 */
export async function footprint(sql: Sql): Promise<string[]> {
  const rows = await sql.unsafe<{ line: string }[]>(`
    select concat_ws(' | ', 'schema', nspname, nspowner::regrole, nspacl) as line
    from pg_namespace
    where ${outside("nspname")}
    union all
    select concat_ws(' | ', 'relation', pg_class.oid::regclass, relkind, relowner::regrole, relrowsecurity, relforcerowsecurity, relacl)
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where ${outside("nspname")}
    union all
    select concat_ws(' | ', 'column', attrelid::regclass, attname, atttypid::regtype, attnotnull, attacl)
    from pg_attribute
    join pg_class on pg_class.oid = attrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where attnum > 0 and ${outside("nspname")}
    union all
    select concat_ws(' | ', 'function', pg_proc.oid::regprocedure, proowner::regrole, md5(prosrc), proconfig, proacl)
    from pg_proc
    join pg_namespace on pg_namespace.oid = pronamespace
    where ${outside("nspname")}
    union all
    select concat_ws(' | ', 'type', pg_type.oid::regtype, typowner::regrole, typacl)
    from pg_type
    join pg_namespace on pg_namespace.oid = typnamespace
    where ${outside("nspname")}
    union all
    select concat_ws(' | ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid))
    from pg_constraint
    join pg_namespace on pg_namespace.oid = connamespace
    where ${outside("nspname")}
    union all
    -- A foreign key of ours to auth.users keeps itself with internal triggers there.
    select concat_ws(' | ', 'trigger', tgrelid::regclass, tgname, tgenabled, tgfoid::regproc)
    from pg_trigger
    join pg_class on pg_class.oid = tgrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where not tgisinternal and ${outside("nspname")}
    union all
    select concat_ws(' | ', 'policy', schemaname || '.' || tablename, policyname, permissive, roles, cmd, qual, with_check)
    from pg_policies
    where ${outside("schemaname")}
    union all
    select concat_ws(' | ', 'default privileges', defaclrole::regrole, defaclnamespace, defaclobjtype, defaclacl)
    from pg_default_acl
    union all
    select concat_ws(' | ', 'setting', setrole, setdatabase, setconfig)
    from pg_db_role_setting
    union all
    select concat_ws(' | ', 'role', oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls)
    from pg_roles
    where rolname not like 'mailpipe%'
    union all
    select concat_ws(' | ', 'member', roleid::regrole, member::regrole, admin_option, inherit_option, set_option)
    from pg_auth_members
    where roleid::regrole::text not like 'mailpipe%'
    union all
    select concat_ws(' | ', 'database', datdba::regrole, datacl)
    from pg_database
    where datname = current_database()
    union all
    select concat_ws(' | ', 'extension', extname, extversion, extnamespace::regnamespace)
    from pg_extension
    union all
    select concat_ws(' | ', 'event trigger', evtname, evtevent, evtenabled)
    from pg_event_trigger
    union all
    select concat_ws(' | ', 'publication', pubname, puballtables)
    from pg_publication
    union all
    select concat_ws(' | ', 'bucket', id, public)
    from storage.buckets
    union all
    select concat_ws(' | ', 'vault', regexp_replace(name, '[0-9a-f]{8}-.*', '<uuid>'))
    from vault.secrets
    order by line
  `);
  return rows.map(({ line }) => line);
}
