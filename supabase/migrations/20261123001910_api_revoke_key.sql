-- What: revoke_key.
-- Why: a key falls with the keys it issued, and at once.
-- Locks: none on existing objects.

create function mailpipe_api.revoke_key(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:write');
    target mailpipe.api_keys;
begin
    select key.*
    into target
    from mailpipe.api_keys as key
    where key.id = p_request ->> 'id';

    if target.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'key';
    end if;

    with recursive falling as (
        select target.id as id
        union
        select child.id
        from mailpipe.api_keys as child
        join falling on child.issued_by_key = falling.id
        where coalesce((p_request ->> 'descendants')::boolean, true)
    ),
    revoked as (
        update mailpipe.api_keys as key
        set revoked_at = mailpipe.clock()
        from falling
        where key.id = falling.id
            and key.revoked_at is null
        returning key.id
    )
    insert into mailpipe.audit (organization_id, environment, actor_kind, actor_id, action, subject_id)
    select me.organization_id, me.environment, me.kind, me.id, 'key.revoked', revoked.id
    from revoked;

    return jsonb_build_object(
        'id', target.id,
        'revoked_at', (select mailpipe.rfc3339(key.revoked_at) from mailpipe.api_keys as key where key.id = target.id)
    );
end;
$$;

revoke execute on function mailpipe_api.revoke_key(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.revoke_key(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.revoke_key(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
