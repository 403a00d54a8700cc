-- What: revoke_key.
-- Why: a key falls with the keys it issued, and at once.
-- Locks: none on existing objects.

-- Revokes keys of the pinned tenant, cancels what they queued when asked to, and leaves a line and an event for each.
create function mailpipe.revoke_at_home(p_me mailpipe.caller, p_ids text[], p_request jsonb)
returns text[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    organization constant text := current_setting('mailpipe.organization_id', true);
    environment constant text := current_setting('mailpipe.environment', true);
    fallen text[];
begin
    fallen := mailpipe.fell_keys(
        organization, environment, p_ids, coalesce((p_request ->> 'descendants')::boolean, true),
        -- Whoever made a key may have rotated it by itself.
        coalesce(p_request -> 'filter' ? 'created_by', false)
    );
    if (p_request ->> 'cancel_queued')::boolean then
        -- Also for a key that fell before: whoever asks a second time wants its mail stopped.
        perform mailpipe.cancel_queued(organization, environment, mailpipe.keys_taken(p_ids, p_request) || fallen);
    end if;
    perform mailpipe.record_audit(p_me, 'key.revoked', fell, '{}')
    from unnest(fallen) as fell;
    perform mailpipe.tell_of_key(key, 'key.revoked', jsonb_build_object('revoked_by', p_me.id))
    from mailpipe.api_keys as key
    where key.id = any (fallen);
    return fallen;
end;
$$;

revoke execute on function mailpipe.revoke_at_home(mailpipe.caller, text[], jsonb) from public, anon, authenticated;
grant execute on function mailpipe.revoke_at_home(mailpipe.caller, text[], jsonb) to mailpipe_tenant;

-- The organization keeps a way to manage its keys: an owner or admin who can sign in, or a key of this
-- environment that lives and has keys:write.
create function mailpipe.assert_way_in(p_falling text[])
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from mailpipe.members as member
        join auth.users as account on account.id = member.user_id
        where member.organization_id = current_setting('mailpipe.organization_id', true)
            and member.role in ('owner', 'admin')
            and account.deleted_at is null
            and not coalesce(account.is_anonymous, false)
            and (account.banned_until is null or account.banned_until <= mailpipe.clock())
    ) then
        return;
    end if;
    -- Held, so that of two keys that revoke each other the second finds none.
    perform key.id
    from mailpipe.api_keys as key
    where key.organization_id = current_setting('mailpipe.organization_id', true)
        and key.environment = current_setting('mailpipe.environment', true)
        and 'keys:write' = any (key.scopes)
        and key.id <> all (p_falling)
        and mailpipe.is_live(key)
    order by key.id
    limit 1
    for share;
    if found then
        return;
    end if;
    raise sqlstate 'PT409' using message = 'last_way_in';
end;
$$;

revoke execute on function mailpipe.assert_way_in(text[]) from public, anon, authenticated;
grant execute on function mailpipe.assert_way_in(text[]) to mailpipe_tenant;

create function mailpipe_api.revoke_key(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:write');
    target text := p_request ->> 'id';
begin
    if not exists (select from mailpipe.api_keys as key where key.id = target) then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'key';
    end if;
    if not coalesce((p_request ->> 'include_self')::boolean, false) then
        perform mailpipe.assert_way_in(mailpipe.keys_taken(array[target], p_request));
    end if;
    perform mailpipe.revoke_at_home(me, array[target], p_request);
    return jsonb_build_object(
        'id', target,
        'revoked_at', (select mailpipe.rfc3339(key.revoked_at) from mailpipe.api_keys as key where key.id = target)
    );
end;
$$;

revoke execute on function mailpipe_api.revoke_key(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.revoke_key(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.revoke_key(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
