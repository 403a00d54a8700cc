-- What: rotate_key.
-- Why: a successor with the same rights, both live for an overlap, then the old key stops by itself.
-- Locks: none on existing objects.

-- The key to be rotated, held so that of two rotations at once the second finds a successor there. Its rotator and its
-- issuer are held with it, in the order of their ids: a revocation of either waits for the successor and takes it along,
-- or comes first and refuses it.
create function mailpipe.hold_key(p_me mailpipe.caller, p_id text)
returns mailpipe.api_keys
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    target mailpipe.api_keys;
begin
    perform key.id
    from mailpipe.api_keys as key
    where key.id in (
        p_id,
        p_me.id,
        (select child.issued_by_key from mailpipe.api_keys as child where child.id = p_id)
    )
        and key.organization_id = current_setting('mailpipe.organization_id', true)
        and key.environment = current_setting('mailpipe.environment', true)
    order by key.id
    for no key update;

    select key.*
    into target
    from mailpipe.api_keys as key
    where key.id = p_id
        and key.organization_id = current_setting('mailpipe.organization_id', true)
        and key.environment = current_setting('mailpipe.environment', true);

    if target.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'key';
    end if;
    if not mailpipe.is_live(target) then
        raise sqlstate 'PT409' using message = 'key_not_live';
    end if;
    return target;
end;
$$;

revoke execute on function mailpipe.hold_key(mailpipe.caller, text) from public, anon, authenticated;
grant execute on function mailpipe.hold_key(mailpipe.caller, text) to mailpipe_tenant;

-- Who rotates a key sees its successor, so a key may rotate only what it could have issued: itself, or less.
create function mailpipe.assert_may_rotate(p_me mailpipe.caller, p_rotator mailpipe.api_keys, p_key mailpipe.api_keys)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    anything constant text[] := '{*}';
begin
    perform mailpipe.assert_scopes(p_me, p_key.scopes);
    perform mailpipe.within_list(
        p_rotator.sending_domains, coalesce(p_key.sending_domains, anything), 'sending_domains'
    );
    perform mailpipe.within_list(
        p_rotator.recipient_domains, coalesce(p_key.recipient_domains, anything), 'recipient_domains'
    );
    perform mailpipe.within_list(p_rotator.mailboxes, coalesce(p_key.mailboxes, anything), 'mailboxes');
    perform mailpipe.within_ranges(p_rotator.ip_ranges, coalesce(p_key.ip_ranges, '{0.0.0.0/0, ::/0}'));
    perform mailpipe.within_list(p_key.limited_by, coalesce(p_rotator.limited_by, '{}'), 'limits');
end;
$$;

revoke execute on function mailpipe.assert_may_rotate(mailpipe.caller, mailpipe.api_keys, mailpipe.api_keys)
    from public, anon, authenticated;
grant execute on function mailpipe.assert_may_rotate(mailpipe.caller, mailpipe.api_keys, mailpipe.api_keys)
    to mailpipe_tenant;

create function mailpipe_api.rotate_key(p_caller jsonb, p_hash text, p_last_four text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'keys:write');
    new_id constant text := mailpipe.new_id('key');
    overlap constant interval := make_interval(secs => (p_request ->> 'overlap_seconds')::double precision);
    old mailpipe.api_keys := mailpipe.hold_key(me, p_request ->> 'id');
    rotator mailpipe.api_keys := mailpipe.hold_issuer(me);
    ends constant timestamptz := least(old.expires_at, mailpipe.clock() + overlap);
    successor mailpipe.api_keys;
    facts jsonb;
begin
    perform mailpipe.assert_may_rotate(me, rotator, old);
    if exists (select from mailpipe.api_keys as key where key.replaces = old.id) then
        raise sqlstate 'PT409' using message = 'key_rotated';
    end if;

    insert into mailpipe.api_keys (
        id, organization_id, environment, name, hash, last_four, scopes, sending_domains, mailboxes,
        recipient_domains, ip_ranges, per_minute, per_day, limited_by, window_id, issued_by_key, issued_by_user,
        replaces, rotated_by_key, rotated_by_user, expires_at
    )
    values (
        new_id, old.organization_id, old.environment, old.name, decode(p_hash, 'hex'), p_last_four, old.scopes,
        old.sending_domains, old.mailboxes, old.recipient_domains, old.ip_ranges, old.per_minute, old.per_day,
        array_replace(old.limited_by, old.id, new_id), old.window_id, old.issued_by_key, old.issued_by_user, old.id,
        rotator.id,
        case when me.kind = 'session' then me.id::uuid end,
        -- As long again as the old one was given, and no longer than who issued or rotates it.
        least(
            mailpipe.clock() + (old.expires_at - old.created_at),
            -- Beyond it RFC 3339 has no year.
            case when old.expires_at is not null then timestamptz '9999-12-31T23:59:59.999Z' end,
            rotator.expires_at,
            (select issuer.expires_at from mailpipe.api_keys as issuer where issuer.id = old.issued_by_key)
        )
    )
    returning *
    into successor;

    facts := jsonb_build_object(
        'replaces', old.id,
        'old_key_expires_at', mailpipe.rfc3339(ends),
        'descendants_ending', mailpipe.end_keys(old, ends)
    );
    perform mailpipe.record_audit(me, 'key.rotated', successor.id, facts);
    perform mailpipe.tell_of_key(successor, 'key.rotated', facts);
    -- A key that rotates its issuer ends with it, and with that key what it obtained.
    select key.*
    into successor
    from mailpipe.api_keys as key
    where key.id = new_id;
    return mailpipe.show_key(successor) || facts;
end;
$$;

revoke execute on function mailpipe_api.rotate_key(jsonb, text, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.rotate_key(jsonb, text, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.rotate_key(jsonb, text, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
