import { type CatalogRule, OURS, OUTSIDERS } from "./catalog-rule.ts";

const role = "case grantee when 0 then 'public' else grantee::regrole::text end";
const granted = "cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner)))";
const made = (rest: string) => `create function ${rest}`;
const shut = (name: string) => `revoke execute on function ${name} from public, anon, authenticated`;

/** What every function is like (security.md F1, F2, F5, F8, F9). */
export const functionRules: CatalogRule[] = [
  {
    // Two lists are planned anew each time: what failed is a few among millions, and has an index of its own.
    sentence:
      "Every function pins its search path to pg_catalog, pg_temp and sets nothing else, but two lists how they are planned",
    query: `
      select oid::regprocedure::text as offence
      from pg_proc
      where pronamespace in (${OURS})
        and proconfig is distinct from array['search_path=pg_catalog, pg_temp']
          || case when proname in ('list_deliveries', 'list_events') then '{plan_cache_mode=force_custom_plan}' end::text[]`,
    offence: "alter function mailpipe.authenticate(jsonb, text) set search_path = ''",
    finds: "mailpipe.authenticate(jsonb,text)",
  },
  {
    sentence:
      "anon, authenticated and everyone execute nothing, and service_role nothing of the schema mailpipe",
    query: `
      select concat_ws(' ', ${role}, pg_proc.oid::regprocedure) as offence
      from pg_proc
      ${granted}
      where pronamespace in (${OURS})
        and grantee in (${OUTSIDERS})
        and not (grantee = 'service_role'::regrole and pronamespace = 'mailpipe_api'::regnamespace)`,
    // Postgres lets everyone execute a new function, and no default privilege of ours says otherwise.
    offence: made(
      "mailpipe.fresh() returns int language sql set search_path = pg_catalog, pg_temp as 'select 1'",
    ),
    finds: "public mailpipe.fresh()",
  },
  {
    sentence:
      "An API function is a definer of mailpipe_tenant or mailpipe_worker that service_role alone may execute",
    query: `
      select pg_proc.oid::regprocedure::text as offence
      from pg_proc
      where pronamespace = 'mailpipe_api'::regnamespace
        and (
          not prosecdef
          or proowner not in ('mailpipe_tenant'::regrole, 'mailpipe_worker'::regrole)
          or array(
            select grantee::regrole::text
            from aclexplode(proacl)
            where grantee <> proowner
          ) <> '{service_role}'
        )`,
    offence: "alter function mailpipe_api.whoami(jsonb) security invoker",
    finds: "mailpipe_api.whoami(jsonb)",
  },
  {
    sentence:
      "Every API function takes the caller first, authenticates her, and is never planned or repeated around",
    query: `
      select oid::regprocedure::text as offence
      from pg_proc
      where pronamespace = 'mailpipe_api'::regnamespace
        and (
          proargnames[1] <> 'p_caller'
          or prosrc !~ 'mailpipe\\.authenticate\\(p_caller, (''[a-z:]+''|p_need)\\)'
          or provolatile <> 'v'
          or proparallel <> 'u'
        )`,
    offence: "alter function mailpipe_api.whoami(jsonb) stable",
    finds: "mailpipe_api.whoami(jsonb)",
  },
  {
    sentence:
      "What authenticates may write, so it is volatile, and everything of the schema mailpipe is the migrating role's",
    query: `
      select oid::regprocedure::text as offence
      from pg_proc
      where pronamespace = 'mailpipe'::regnamespace
        and (
          proowner <> (select nspowner from pg_namespace where nspname = 'mailpipe')
          or (proname in ('authenticate', 'pin') and (provolatile <> 'v' or proparallel <> 'u'))
        )`,
    offence: "alter function mailpipe.pin(text, text) immutable",
    finds: "mailpipe.pin(text,text)",
  },
  {
    sentence: "Only mailpipe_worker may execute unseal, and nobody what it stands on",
    query: `
      select concat_ws(' ', ${role}, proname) as offence
      from pg_proc
      ${granted}
      where pronamespace = 'mailpipe'::regnamespace
        and grantee <> proowner
        and proname in (
          'unseal', 'row_key', 'master_key', 'create_data_key', 'create_master_key', 'store_master_key',
          'hand_out_master_key', 'wrap_master_key', 'take_out_master_key', 'unwrap_master_key', 'bring_in_master_key',
          'rotate_master_key', 'retire_master_key', 'opens'
        )
        and (proname, ${role}) <> ('unseal', 'mailpipe_worker')`,
    offence: "grant execute on function mailpipe.unseal(text, text, text, text, bytea) to mailpipe_tenant",
    finds: "mailpipe_tenant unseal",
  },
  {
    sentence: "A trigger function is nobody's to call",
    query: `
      select concat_ws(' ', ${role}, pg_proc.oid::regprocedure) as offence
      from pg_proc
      ${granted}
      where pronamespace in (${OURS})
        and prorettype in ('trigger'::regtype, 'event_trigger'::regtype)
        and grantee <> proowner`,
    offence: `${made("mailpipe.touched() returns trigger language plpgsql as 'begin return new; end'")};
      ${shut("mailpipe.touched()")}; grant execute on function mailpipe.touched() to mailpipe_tenant`,
    finds: "mailpipe_tenant mailpipe.touched()",
  },
  {
    // pg_temp is the last on the path, and still on it: a bare name of ours is found there and nowhere else.
    sentence: "Every relation a function's body names is named with its schema",
    query: `
      select concat_ws(' ', place, name) as offence
      from (
        select
          pg_proc.oid::regprocedure as place,
          (regexp_matches(
            regexp_replace(prosrc, '--[^\\n]*|''[^'']*''', ' ', 'g'),
            '\\m(?:from|join|into|update|using)\\s+(?:only\\s+)?([a-z_]+)\\M(?!\\s*[.(])', 'g'
          ))[1] as name
        from pg_proc
        where pronamespace in (${OURS})
      ) as named
      where exists (
        select
        from pg_class
        where relname = name
          and relkind in ('r', 'v')
          and relnamespace in (${OURS}, 'auth'::regnamespace, 'storage'::regnamespace, 'vault'::regnamespace)
      )`,
    offence: made(
      "mailpipe.bare() returns bigint language plpgsql as 'begin return (select count(*) from messages); end'",
    ),
    finds: "mailpipe.bare() messages",
  },
  {
    // Those four walk the tables of a fixed list, every name and value quoted by format().
    sentence: "No function builds SQL from text, but what exports and deletes table by table",
    query: `
      select oid::regprocedure::text as offence
      from pg_proc
      where pronamespace in (${OURS})
        and proname not in ('export_page', 'mentioned_in', 'redact', 'remove_some')
        and (prosrc ~* '\\mexecute\\M' or prosrc ~* '\\m(dblink|query_to_xml|table_to_xml)')`,
    offence: made(
      "mailpipe.any_query(p_sql text) returns void language plpgsql as 'begin execute p_sql; end'",
    ),
    finds: "mailpipe.any_query(text)",
  },
  {
    sentence: "No function shares its name with another, and every parameter begins with p_",
    query: `
      select concat_ws(' ', pronamespace::regnamespace, proname) as offence
      from pg_proc
      where pronamespace in (${OURS})
      group by pronamespace, proname
      having count(*) > 1 or bool_or(exists (
        select
        from unnest(proargnames, proargmodes) as argument (name, mode)
        where coalesce(mode, 'i') <> 't'
          and name !~ '^p_'
      ))`,
    offence: made("mailpipe.clock(p_zone text) returns timestamptz language sql as 'select now()'"),
    finds: "mailpipe clock",
  },
  {
    sentence: "Nothing but SQL and plpgsql is used, and no trigger, rule or event trigger is ours",
    query: `
      select pg_proc.oid::regprocedure::text as offence
      from pg_proc
      join pg_language on pg_language.oid = prolang
      where pronamespace in (${OURS})
        and lanname not in ('sql', 'plpgsql')
      union all
      select tgname::text
      from pg_trigger
      join pg_class on pg_class.oid = tgrelid
      where relnamespace in (${OURS})
        and not tgisinternal`,
    offence: `create trigger meddling before update on mailpipe.messages
      for each row execute function suppress_redundant_updates_trigger()`,
    finds: "meddling",
  },
];
