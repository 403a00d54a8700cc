-- What: whoami.
-- Why: a caller can ask who it is, and what it may do.
-- Locks: none on existing objects.

create function mailpipe_api.whoami(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'caller');
    mine mailpipe.api_keys;
begin
    select key.*
    into mine
    from mailpipe.api_keys as key
    where key.id = me.id;

    return jsonb_build_object(
        'kind', me.kind,
        'id', me.id,
        'organization_id', me.organization_id,
        'environment', me.environment,
        'role', me.role,
        'scopes', me.scopes,
        'fences', mailpipe.show_fences(mine),
        'limits', mailpipe.show_limits(mine),
        'expires_at', mailpipe.rfc3339(mine.expires_at)
    );
end;
$$;

revoke execute on function mailpipe_api.whoami(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.whoami(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.whoami(jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
