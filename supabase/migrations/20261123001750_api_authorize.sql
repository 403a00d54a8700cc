-- What: authorize: whether a caller may, before anything outside the database is touched for it.
-- Why: no connection is made and no byte stored for somebody who may not; the work's own call checks again.
-- Locks: none on existing objects.

-- A body may leave the environment out, and may not name another than the caller's.
create function mailpipe.assert_environment(p_me mailpipe.caller, p_named text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_named <> p_me.environment then
        raise sqlstate 'PT403' using message = 'environment_mismatch', detail = p_me.environment;
    end if;
end;
$$;

revoke execute on function mailpipe.assert_environment(mailpipe.caller, text) from public, anon, authenticated;
grant execute on function mailpipe.assert_environment(mailpipe.caller, text) to mailpipe_tenant;

create function mailpipe_api.authorize(p_caller jsonb, p_need text, p_environment text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, p_need);
begin
    perform mailpipe.assert_environment(me, p_environment);
    return jsonb_build_object('organization_id', me.organization_id, 'environment', me.environment);
end;
$$;

revoke execute on function mailpipe_api.authorize(jsonb, text, text) from public, anon, authenticated;
grant execute on function mailpipe_api.authorize(jsonb, text, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.authorize(jsonb, text, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
