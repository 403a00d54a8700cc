-- What: issue_key and list_keys.
-- Why: the plain key is made at the edge; only its hash reaches the database.
-- Locks: none on existing objects.

create function mailpipe_api.issue_key(p_caller jsonb, p_hash text, p_last_four text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:write');
    new_id constant text := mailpipe.new_id('key');
    wanted constant text[] := mailpipe.text_list(p_request -> 'scopes');
    expiry constant timestamptz := p_request ->> 'expires_at';
    issuer mailpipe.api_keys;
    child mailpipe.api_keys;
    issued mailpipe.api_keys;
begin
    perform mailpipe.assert_environment(me, p_request ->> 'environment');
    perform mailpipe.assert_scopes(me, wanted);
    if expiry <= mailpipe.clock() then
        raise sqlstate 'PT422' using message = 'invalid_request', detail = 'expires_at: must lie in the future';
    end if;
    issuer := mailpipe.hold_issuer(me);
    child := mailpipe.fence_child(issuer, new_id, p_request);

    insert into mailpipe.api_keys (
        id, organization_id, environment, name, hash, last_four, scopes, sending_domains, mailboxes,
        recipient_domains, ip_ranges, per_minute, per_day, limited_by, window_id, issued_by_key, issued_by_user,
        honey, expires_at
    )
    values (
        new_id, me.organization_id, me.environment, p_request ->> 'name', decode(p_hash, 'hex'), p_last_four, wanted,
        child.sending_domains, child.mailboxes, child.recipient_domains, child.ip_ranges, child.per_minute,
        child.per_day, child.limited_by, new_id, issuer.id,
        case when me.kind = 'session' then me.id::uuid end,
        coalesce((p_request ->> 'honey')::boolean, false),
        -- A child never outlives its issuer.
        least(expiry, issuer.expires_at)
    )
    returning *
    into issued;

    perform mailpipe.record_audit(me, 'key.issued', issued.id, jsonb_build_object('scopes', wanted));
    perform mailpipe.tell_of_key(issued, 'key.issued', jsonb_build_object('scopes', wanted));
    return mailpipe.show_key(issued);
end;
$$;

revoke execute on function mailpipe_api.issue_key(jsonb, text, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.issue_key(jsonb, text, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.issue_key(jsonb, text, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe.list_key(p_key mailpipe.api_keys)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.show_key(p_key) || jsonb_build_object(
        'revoked_at', mailpipe.rfc3339(p_key.revoked_at),
        'exposed_at', mailpipe.rfc3339(p_key.exposed_at),
        'replaces', p_key.replaces,
        'replaced_by', successor.id,
        -- The security page: rotate every 90 days. A key that was seen where it does not belong is due at once.
        'rotation_due', successor.id is null
            and mailpipe.is_live(p_key)
            and (p_key.exposed_at is not null or p_key.created_at <= mailpipe.clock() - interval '90 days'),
        'last_used_at', mailpipe.rfc3339(uses.last_used_at),
        'last_used_range', uses.last_used_range,
        'use_count', uses.used,
        'refused_count', uses.refused
    )
    from mailpipe.usage_of(p_key.id) as uses
    left join mailpipe.api_keys as successor
        on successor.organization_id = p_key.organization_id
        and successor.environment = p_key.environment
        and successor.replaces = p_key.id;
$$;

revoke execute on function mailpipe.list_key(mailpipe.api_keys) from public, anon, authenticated;
grant execute on function mailpipe.list_key(mailpipe.api_keys) to mailpipe_tenant;

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
            select coalesce(jsonb_agg(mailpipe.list_key(listed) order by listed.created_at desc, listed.id desc), '[]')
            from (
                select key.*
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
