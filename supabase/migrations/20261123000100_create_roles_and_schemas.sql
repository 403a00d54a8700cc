-- What: the two schemas (data, API) and the two roles our functions run as.
-- Why: API functions own nothing and bypass nothing, so row-level security decides what they see.
-- Locks: none on existing objects.

create extension if not exists pgcrypto with schema extensions;

-- Roles belong to the cluster, not to the database: a second database finds them already there.
do $$
begin
    if not exists (select from pg_roles where rolname = 'mailpipe_tenant') then
        create role mailpipe_tenant nologin;
    end if;
    if not exists (select from pg_roles where rolname = 'mailpipe_worker') then
        create role mailpipe_worker nologin;
    end if;
end;
$$;

-- Without inherit every later grant on a function these roles own would be a silent no-op.
grant mailpipe_tenant to current_user with set true, inherit true;
grant mailpipe_worker to current_user with set true, inherit true;

create schema mailpipe;
comment on schema mailpipe is 'Mailpipe: all data. Exposed to nobody.';

create schema mailpipe_api;
comment on schema mailpipe_api is 'Mailpipe: functions only, for service_role through the Data API.';

-- By name as well: a host app's default privileges, where they are global, have granted them new schemas already. What
-- they grant on the tables and functions in here is then out of reach.
revoke all on schema mailpipe from public, anon, authenticated, service_role;
revoke all on schema mailpipe_api from public, anon, authenticated, service_role;
grant usage on schema mailpipe to mailpipe_tenant, mailpipe_worker;
grant usage on schema mailpipe_api to service_role;
