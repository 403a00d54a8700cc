-- What: issue_key and list_keys.
-- Why: the plain key is made at the edge; only its hash reaches the database.
-- Locks: none on existing objects.

create function mailpipe.show_key(p_key mailpipe.api_keys)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_key.id,
        'name', p_key.name,
        'environment', p_key.environment,
        'scopes', p_key.scopes,
        'last_four', p_key.last_four,
        'issued_by', coalesce(p_key.issued_by_key, p_key.issued_by_user::text),
        'expires_at', mailpipe.rfc3339(p_key.expires_at),
        'created_at', mailpipe.rfc3339(p_key.created_at)
    );
$$;

revoke execute on function mailpipe.show_key(mailpipe.api_keys) from public, anon, authenticated;
grant execute on function mailpipe.show_key(mailpipe.api_keys) to mailpipe_tenant;

create function mailpipe_api.issue_key(p_caller jsonb, p_hash text, p_last_four text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:write');
    wanted text[] := array(select jsonb_array_elements_text(p_request -> 'scopes'));
    expiry timestamptz := (p_request ->> 'expires_at')::timestamptz;
    issuer_expiry timestamptz;
    issued mailpipe.api_keys;
begin
    perform mailpipe.assert_environment(me, p_request ->> 'environment');
    if not wanted <@ me.scopes then
        raise sqlstate 'PT403' using
            message = 'scope_missing',
            detail = (select string_agg(scope, ' ') from unnest(wanted) as scope where scope <> all (me.scopes));
    end if;
    if expiry <= mailpipe.clock() then
        raise sqlstate 'PT422' using message = 'invalid_request', detail = 'expires_at: must lie in the future';
    end if;

    -- A child never outlives its issuer.
    select key.expires_at
    into issuer_expiry
    from mailpipe.api_keys as key
    where me.kind = 'key'
        and key.id = me.id;

    insert into mailpipe.api_keys (
        organization_id, environment, name, hash, last_four, scopes, issued_by_key, issued_by_user, expires_at
    )
    values (
        me.organization_id, me.environment, p_request ->> 'name', decode(p_hash, 'hex'), p_last_four, wanted,
        case when me.kind = 'key' then me.id end,
        case when me.kind = 'session' then me.id::uuid end,
        least(expiry, issuer_expiry)
    )
    returning *
    into issued;

    perform mailpipe.record_audit(me, 'key.issued', issued.id, jsonb_build_object('scopes', wanted));
    return mailpipe.show_key(issued);
end;
$$;

revoke execute on function mailpipe_api.issue_key(jsonb, text, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.issue_key(jsonb, text, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.issue_key(jsonb, text, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.list_keys(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:read');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select
                    key.id,
                    key.created_at,
                    mailpipe.show_key(key) || jsonb_build_object(
                        'revoked_at', mailpipe.rfc3339(key.revoked_at),
                        -- The security page: rotate every 90 days.
                        'rotation_due', key.revoked_at is null
                            and key.created_at <= mailpipe.clock() - interval '90 days'
                    ) as shown
                from mailpipe.api_keys as key
                where place.id = '' or (key.created_at, key.id) < (place.at, place.id)
                order by key.created_at desc, key.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_keys(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_keys(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_keys(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
