import { type CatalogRule, OURS, OUTSIDERS } from "./catalog-rule.ts";

const role = "case grantee when 0 then 'public' else grantee::regrole::text end";

/** Who may reach what: schemas, relations, types, roles (security.md T2, T10, T11, F3, R2). */
export const privilegeRules: CatalogRule[] = [
  {
    sentence:
      "Only our two roles use the schema mailpipe, only service_role uses mailpipe_api, nobody creates in either",
    query: `
      select concat_ws(' ', ${role}, privilege_type, nspname) as offence
      from pg_namespace
      cross join lateral aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
      where oid in (${OURS})
        and grantee <> nspowner
        and (nspname, ${role}, privilege_type) not in (
          ('mailpipe', 'mailpipe_tenant', 'USAGE'),
          ('mailpipe', 'mailpipe_worker', 'USAGE'),
          ('mailpipe_api', 'service_role', 'USAGE')
        )`,
    offence: "grant usage on schema mailpipe to service_role",
    finds: "service_role USAGE mailpipe",
  },
  {
    sentence: "anon, authenticated, service_role and everyone hold nothing on a table, view or sequence",
    query: `
      select concat_ws(' ', ${role}, privilege_type, oid::regclass) as offence
      from pg_class
      cross join lateral aclexplode(coalesce(relacl, acldefault(
        case relkind when 'S' then 's' else 'r' end::"char", relowner
      )))
      where relnamespace in (${OURS})
        and grantee in (${OUTSIDERS})`,
    offence: "grant truncate on mailpipe.audit to authenticated",
    finds: "authenticated TRUNCATE mailpipe.audit",
  },
  {
    sentence: "anon, authenticated, service_role and everyone hold nothing on a single column",
    query: `
      select concat_ws(' ', ${role}, privilege_type, attrelid::regclass, attname) as offence
      from pg_attribute
      join pg_class on pg_class.oid = attrelid
      cross join lateral aclexplode(attacl)
      where relnamespace in (${OURS})
        and grantee in (${OUTSIDERS})`,
    offence: "grant select (name) on mailpipe.organizations to public",
    finds: "public SELECT mailpipe.organizations name",
  },
  {
    sentence: "No sequence of ours is usable by anyone but its owner",
    query: `
      select concat_ws(' ', ${role}, privilege_type, oid::regclass) as offence
      from pg_class
      cross join lateral aclexplode(relacl)
      where relkind = 'S'
        and relnamespace in (${OURS})
        and grantee <> relowner`,
    offence: "create sequence mailpipe.numbers; grant usage on sequence mailpipe.numbers to mailpipe_tenant",
    finds: "mailpipe_tenant USAGE mailpipe.numbers",
  },
  {
    // A table's row type follows its table: nobody outside can name it without the schema.
    sentence: "A free-standing type is usable by our two roles only",
    query: `
      select concat_ws(' ', ${role}, type.oid::regtype) as offence
      from pg_type as type
      left join pg_class as relation on relation.oid = type.typrelid
      cross join lateral aclexplode(coalesce(typacl, acldefault('T', typowner)))
      where typnamespace in (${OURS})
        and typcategory <> 'A'
        and coalesce(relation.relkind, 'c') = 'c'
        and grantee not in (typowner, 'mailpipe_tenant'::regrole, 'mailpipe_worker'::regrole)`,
    offence: "create type mailpipe.colour as enum ('red')",
    finds: "public mailpipe.colour",
  },
  {
    sentence:
      "No default privilege is set in our schemas or for our roles, and none of the migrating role's is wider for them",
    query: `
      select concat_ws(' ', defaclrole::regrole, defaclobjtype, defaclacl) as offence
      from pg_default_acl
      where defaclnamespace in (${OURS})
        or defaclrole in ('mailpipe_tenant'::regrole, 'mailpipe_worker'::regrole)
        or (defaclnamespace = 0 and defaclrole = (
          select nspowner
          from pg_namespace
          where nspname = 'mailpipe'
        ))`,
    offence: "alter default privileges in schema mailpipe grant select on tables to authenticated",
    finds: "authenticated=r",
  },
  {
    sentence: "mailpipe_api holds functions and nothing else",
    query: `
      select oid::regclass::text as offence
      from pg_class
      where relnamespace = 'mailpipe_api'::regnamespace
      union all
      select oid::regtype::text
      from pg_type
      where typnamespace = 'mailpipe_api'::regnamespace`,
    offence:
      "create view mailpipe_api.peek with (security_invoker = true) as select hash from mailpipe.api_keys",
    finds: "mailpipe_api.peek",
  },
  {
    sentence: "A view runs as whoever asks; there is no materialised view and no foreign table",
    query: `
      select oid::regclass::text as offence
      from pg_class
      where relnamespace in (${OURS})
        and (relkind in ('m', 'f') or (relkind = 'v' and coalesce(reloptions::text, '') !~ 'security_invoker=(true|on)'))`,
    offence: "create view mailpipe.everything as select * from mailpipe.messages",
    finds: "mailpipe.everything",
  },
  {
    sentence: "Our two roles cannot log in, bypass nothing, own no relation and no schema",
    query: `
      select rolname::text as offence
      from pg_roles
      where rolname in ('mailpipe_tenant', 'mailpipe_worker')
        and (
          rolcanlogin or rolbypassrls or rolsuper or rolcreaterole or rolcreatedb or rolreplication
          or exists (select from pg_class where relowner = pg_roles.oid)
          or exists (select from pg_namespace where nspowner = pg_roles.oid)
        )`,
    offence:
      "grant create on schema mailpipe to mailpipe_tenant; alter table mailpipe.audit owner to mailpipe_tenant",
    finds: "mailpipe_tenant",
  },
  {
    sentence: "Only the migrating role may become one of our roles, and they are members of none",
    query: `
      select concat_ws(' ', member::regrole, 'in', roleid::regrole) as offence
      from pg_auth_members
      where member in ('mailpipe_tenant'::regrole, 'mailpipe_worker'::regrole)
        or (
          roleid in ('mailpipe_tenant'::regrole, 'mailpipe_worker'::regrole)
          and member <> (select nspowner from pg_namespace where nspname = 'mailpipe')
        )`,
    offence: "grant mailpipe_tenant to service_role",
    finds: "service_role in mailpipe_tenant",
  },
  {
    // Vault, Auth and Storage are reached by definer functions of the migrating role, which the golden list names.
    sentence: "Our roles use no schema but mailpipe and what everyone uses",
    query: `
      select concat_ws(' ', rolname, nspname) as offence
      from pg_roles
      cross join pg_namespace
      where rolname in ('mailpipe_tenant', 'mailpipe_worker')
        and has_schema_privilege(pg_roles.oid, pg_namespace.oid, 'usage')
        and nspname not in ('mailpipe', 'public', 'pg_catalog', 'information_schema')`,
    offence:
      "grant usage on schema extensions to mailpipe_worker; grant create, usage on schema mailpipe_api to mailpipe_tenant",
    finds: "mailpipe_tenant mailpipe_api",
  },
];
