import type { Sql } from "postgres";

// The CLI's own record of migrations is not ours, and what plain temp and toast schemas hold is nobody's.
const outside = (namespace: string) =>
  `${namespace} !~ '^(mailpipe(_api)?|supabase_migrations|pg_toast.*|pg_temp.*)$'`;

/** Of what kind a line is, what it shows, and where that is read from. */
type Part = [kind: string, shown: string, from: string];

// What has no privileges and is named by what it is: made or not.
const catalogs = [
  "pg_cast",
  "pg_operator",
  "pg_opclass",
  "pg_collation",
  "pg_conversion",
  "pg_ts_config",
  "pg_ts_dict",
  "pg_rewrite",
  "pg_statistic_ext",
  "pg_transform",
  "pg_user_mapping",
];

const inDatabase: Part[] = [
  ["schema", "nspname, nspowner::regrole, nspacl", `pg_namespace where ${outside("nspname")}`],
  [
    "relation",
    `pg_class.oid::regclass, relkind, relpersistence, relowner::regrole, relrowsecurity, relforcerowsecurity,
      relreplident, reloptions, relacl`,
    `pg_class join pg_namespace on pg_namespace.oid = relnamespace where ${outside("nspname")}`,
  ],
  [
    "column",
    `attrelid::regclass, attname, atttypid::regtype, attnotnull, attidentity, attgenerated, attacl,
      (select pg_get_expr(adbin, adrelid) from pg_attrdef where adrelid = attrelid and adnum = attnum)`,
    `pg_attribute
    join pg_class on pg_class.oid = attrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where attnum > 0 and ${outside("nspname")}`,
  ],
  [
    "view",
    "pg_class.oid::regclass, md5(pg_get_viewdef(pg_class.oid))",
    `pg_class join pg_namespace on pg_namespace.oid = relnamespace
    where relkind in ('v', 'm') and ${outside("nspname")}`,
  ],
  [
    "index",
    "pg_get_indexdef(indexrelid), indisvalid",
    `pg_index
    join pg_class on pg_class.oid = indrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where ${outside("nspname")}`,
  ],
  [
    "sequence",
    "seqrelid::regclass, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle",
    `pg_sequence
    join pg_class on pg_class.oid = seqrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    where ${outside("nspname")}`,
  ],
  [
    "function",
    `pg_proc.oid::regprocedure, prorettype::regtype, proowner::regrole, prosecdef, provolatile, proisstrict,
      md5(prosrc), proconfig, proacl`,
    `pg_proc join pg_namespace on pg_namespace.oid = pronamespace where ${outside("nspname")}`,
  ],
  [
    "type",
    `pg_type.oid::regtype, typowner::regrole, typacl,
      (select array_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = pg_type.oid)`,
    `pg_type join pg_namespace on pg_namespace.oid = typnamespace where ${outside("nspname")}`,
  ],
  [
    "constraint",
    "conrelid::regclass, contypid::regtype, conname, pg_get_constraintdef(pg_constraint.oid), convalidated",
    `pg_constraint join pg_namespace on pg_namespace.oid = connamespace where ${outside("nspname")}`,
  ],
  [
    // Those that keep a foreign key go under the key's name; with one of ours to auth.users they stand there too.
    "trigger",
    `tgrelid::regclass, tgenabled, case
      when tgisinternal then concat_ws(' ', conname, tgfoid::regproc)
      else pg_get_triggerdef(pg_trigger.oid)
    end`,
    `pg_trigger
    join pg_class on pg_class.oid = tgrelid
    join pg_namespace on pg_namespace.oid = relnamespace
    left join pg_constraint on pg_constraint.oid = tgconstraint
    where ${outside("nspname")} and (tgconstraint = 0 or ${outside("connamespace::regnamespace::text")})`,
  ],
  [
    "policy",
    "schemaname || '.' || tablename, policyname, permissive, roles, cmd, qual, with_check",
    `pg_policies where ${outside("schemaname")}`,
  ],
  [
    "default privileges",
    "defaclrole::regrole, nullif(defaclnamespace, 0)::regnamespace, defaclobjtype, defaclacl",
    "pg_default_acl",
  ],
  ["extension", "extname, extversion, extowner::regrole, extnamespace::regnamespace", "pg_extension"],
  [
    "event trigger",
    "evtname, evtevent, evtenabled, evttags, evtowner::regrole, evtfoid::regproc",
    "pg_event_trigger",
  ],
  [
    "publication",
    "pubname, pubowner::regrole, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate",
    "pg_publication",
  ],
  // Ours would show as well: nobody asked for them to be published.
  ["published", "pubname, schemaname, tablename, attnames, rowfilter", "pg_publication_tables"],
  ["language", "lanname, lanowner::regrole, lanacl", "pg_language"],
  ["foreign server", "srvname, srvowner::regrole, srvacl", "pg_foreign_server"],
  ["foreign data wrapper", "fdwname, fdwowner::regrole, fdwacl", "pg_foreign_data_wrapper"],
  ["large object", "oid, lomowner::regrole, lomacl", "pg_largeobject_metadata"],
  [
    "object",
    "described.type, described.identity",
    `(${
      catalogs.map((name) => `select '${name}'::regclass as class, oid from ${name}`).join(" union all ")
    }) as known
    cross join lateral pg_identify_object(class, oid, 0) as described
    where oid >= 16384 and described.identity !~ '\\mmailpipe(_api)?\\.'`,
  ],
  [
    "comment",
    "described.type, described.identity, description",
    `pg_description
    cross join lateral pg_identify_object(classoid, objoid, objsubid) as described
    where described.identity !~ '\\mmailpipe(_api)?\\M'`,
  ],
  ["bucket", "id, public, file_size_limit, allowed_mime_types", "storage.buckets"],
  ["vault", "regexp_replace(name, '[0-9a-f]{8}-.*', '<uuid>')", "vault.secrets"],
];

/** What belongs to the whole cluster: on a server where our migrations ran before, it is as they left it. */
const inCluster: Part[] = [
  [
    "setting",
    `case setrole when 0 then 'everyone' else setrole::regrole::text end,
      case setdatabase when 0 then 'everywhere' else 'here' end, setconfig`,
    "pg_db_role_setting where setdatabase in (0, (select oid from pg_database where datname = current_database()))",
  ],
  [
    "role",
    `rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
      rolconnlimit, rolvaliduntil`,
    "pg_roles where rolname !~ '^mailpipe_(tenant|worker)$'",
  ],
  [
    "member",
    "roleid::regrole, member::regrole, grantor::regrole, admin_option, inherit_option, set_option",
    "pg_auth_members where roleid::regrole::text !~ '^mailpipe_(tenant|worker)$'",
  ],
  [
    "database",
    "datdba::regrole, datacl, datconnlimit, datallowconn",
    "pg_database where datname = current_database()",
  ],
  ["parameter", "parname, paracl", "pg_parameter_acl"],
];

/**
 * Everything of a database that is not ours and that a migration could change, one line each: privileges, owners,
 * default privileges, role settings, memberships, policies, functions, triggers, buckets, jobs and Vault's names.
 */
export async function footprint(sql: Sql): Promise<string[]> {
  const [scheduler] = await sql`select to_regclass('cron.job') is not null as there`;
  const jobs: Part[] = [["job", "jobname, schedule, command, username, active", "cron.job"]];
  const parts = [...inDatabase, ...inCluster, ...(scheduler?.["there"] ? jobs : [])];
  const queries = parts.map(([kind, shown, from]) =>
    `select concat_ws(' | ', '${kind}', ${shown}) as line from ${from}`
  );
  const rows = await sql.unsafe<{ line: string }[]>(`${queries.join(" union all ")} order by line`);
  return rows.map(({ line }) => line);
}

/** The lines of `left` that `right` does not have. */
export function missing(left: string[], right: string[]): string[] {
  const kept = new Set(right);
  return left.filter((line) => !kept.has(line));
}
