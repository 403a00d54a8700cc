-- What: revoke_keys: many at once, by what they have in common.
-- Why: when somebody leaves or a network is lost, the keys are found and felled in one call, after a dry run.
-- Locks: none on existing objects.

create function mailpipe_api.revoke_keys(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:write');
    matching text[] := mailpipe.keys_matching(p_request -> 'filter');
    falling text[];
begin
    perform mailpipe.assert_environment(me, p_request -> 'filter' ->> 'environment');
    if not (p_request ->> 'include_self')::boolean and me.kind = 'key' then
        matching := array(
            select id
            from unnest(matching) as id
            where id <> all (mailpipe.keys_above(me.id, p_request -> 'filter' ? 'created_by'))
        );
    end if;
    falling := array(
        select key.id
        from mailpipe.api_keys as key
        where key.revoked_at is null
            and key.id = any (mailpipe.keys_taken(matching, p_request))
    );
    -- Four seconds for twice as many, of the eight a statement has.
    if cardinality(falling) > 2000 then
        raise sqlstate 'PT422' using
            message = 'invalid_request',
            detail = 'filter: more than 2000 keys would fall; narrow it, for instance by issued_before';
    end if;
    if not (p_request ->> 'include_self')::boolean then
        perform mailpipe.assert_way_in(falling);
    end if;
    if not (p_request ->> 'dry_run')::boolean then
        falling := mailpipe.revoke_at_home(me, matching, p_request);
    end if;
    return jsonb_build_object(
        'dry_run', (p_request ->> 'dry_run')::boolean,
        'data', (
            select coalesce(jsonb_agg(mailpipe.list_key(key) order by key.created_at desc, key.id desc), '[]')
            from mailpipe.api_keys as key
            where key.id = any (falling)
        )
    );
end;
$$;

revoke execute on function mailpipe_api.revoke_keys(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.revoke_keys(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.revoke_keys(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
