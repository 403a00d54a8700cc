-- What a hosted Supabase project has before any migration runs: roles, schemas, extensions, privileges.
-- Run by the superuser supabase_admin, once per database. Roles belong to the cluster, hence the guards.
-- Model: the init scripts and migrations of supabase/postgres (17), with the default privileges hosted
-- projects have since 30 Oct 2026: a new table, sequence or function in public is granted to no API role.

do $$
declare
    v_role text;
    v_roles constant jsonb := '{
        "anon": "nologin noinherit",
        "authenticated": "nologin noinherit",
        "service_role": "nologin noinherit bypassrls",
        "authenticator": "login noinherit",
        "postgres": "login createdb createrole replication bypassrls",
        "supabase_auth_admin": "login noinherit",
        "supabase_storage_admin": "login noinherit createrole"
    }';
begin
    for v_role in select jsonb_object_keys(v_roles) loop
        if not exists (select from pg_catalog.pg_roles where rolname = v_role) then
            execute format('create role %I %s', v_role, v_roles ->> v_role);
        end if;
    end loop;
end;
$$;

grant anon, authenticated, service_role to authenticator;
grant anon, authenticated, service_role to postgres with admin option;
grant pg_monitor, pg_signal_backend to postgres;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
alter role postgres set search_path = "$user", public, extensions;

do $$
begin
    execute format('alter database %I owner to postgres', current_database());
end;
$$;

create schema extensions;
create extension pgcrypto with schema extensions;
create extension "uuid-ossp" with schema extensions;
create extension pg_stat_statements with schema extensions;

grant usage on schema extensions to anon, authenticated, service_role;
grant all on schema extensions to postgres;
grant all on all tables in schema extensions to postgres;
grant all on all routines in schema extensions to postgres;

grant usage on schema public to postgres, anon, authenticated, service_role;

create publication supabase_realtime;

-- Hosted, supautils lets `postgres` make policies and triggers on tables of auth and storage and refuses
-- every other change there. Plain Postgres knows ownership only (storage.sql grants it), so this refuses it.
create function extensions.refuse_changes_to_platform_schemas()
returns event_trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_command record;
begin
    if current_user <> 'postgres' then
        return;
    end if;
    for v_command in
        select *
        from pg_event_trigger_ddl_commands()
    loop
        if v_command.schema_name in ('auth', 'storage')
            and v_command.object_type not in ('policy', 'trigger') then
            raise insufficient_privilege using
                message = format('must be owner of %s', v_command.object_identity);
        end if;
    end loop;
end;
$$;

create event trigger refuse_changes_to_platform_schemas
    on ddl_command_end
    execute function extensions.refuse_changes_to_platform_schemas();
