-- What: the lookup of an API key, with its address fence, its limits and the count of its use.
-- Why: one indexed read says whether a key lives; nothing is cached, so a revocation holds at the next call.
-- Locks: none on existing objects.

-- Takes one request from the windows of every key this one is limited by, always in the same order. Without p_refusing
-- it counts beyond the limits as well: a request refused for another reason was a request.
create function mailpipe.take_for_key(p_limited_by text[], p_refusing boolean)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    holder record;
begin
    for holder in
        select key.window_id, key.per_minute, key.per_day
        from mailpipe.api_keys as key
        where key.id = any (p_limited_by)
        order by key.window_id, key.id
    loop
        perform mailpipe.take(
            holder.window_id,
            'key',
            case when p_refusing then row(null, holder.per_minute, null, holder.per_day)::mailpipe.limits end,
            1
        );
    end loop;
end;
$$;

revoke execute on function mailpipe.take_for_key(text[], boolean) from public, anon, authenticated;
-- Granted to nobody: looking a key up takes a request for it, and recording a refusal.

create function mailpipe.is_live(p_key mailpipe.api_keys)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select p_key.revoked_at is null
        and (p_key.expires_at is null or p_key.expires_at > mailpipe.clock())
        and not p_key.honey;
$$;

revoke execute on function mailpipe.is_live(mailpipe.api_keys) from public, anon, authenticated;
grant execute on function mailpipe.is_live(mailpipe.api_keys) to mailpipe_tenant;

-- Unknown, revoked, expired and honey are one refusal, after the same one read. The hint is for our own edge, which
-- counts the use of a dead key once the answer is out; no answer shows it.
create function mailpipe.key_caller(p_caller jsonb, p_need text)
returns mailpipe.caller
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    address constant inet := (p_caller ->> 'address')::inet;
    key record;
begin
    select
        known.id, known.organization_id, known.environment, known.scopes, known.mailboxes, known.ip_ranges,
        known.limited_by, known.window_id, known.per_minute, known.per_day,
        -- is_live, written out: calling it would cost as much as the lookup.
        known.revoked_at is null
        and (known.expires_at is null or known.expires_at > mailpipe.clock())
        and not known.honey as is_live
    into key
    from mailpipe.api_keys as known
    where known.hash = decode(p_caller ->> 'key_hash', 'hex');

    if key.is_live is not true then
        raise sqlstate 'PT401' using message = 'invalid_credential', hint = coalesce(key.id, 'unknown');
    end if;
    if key.ip_ranges is not null and not coalesce(address <<= any (key.ip_ranges), false) then
        raise sqlstate 'PT403' using message = 'fence_violated', detail = 'ip_ranges: the key is not for this address';
    end if;
    -- A request that takes two calls is counted by its first.
    if not p_caller ? 'counted' then
        perform mailpipe.count_use(key.id, address, 1, 0);
        if key.limited_by = array[key.id] then
            perform mailpipe.take(key.window_id, 'key', row(null, key.per_minute, null, key.per_day)::mailpipe.limits, 1);
        elsif key.limited_by <> '{}' then
            perform mailpipe.take_for_key(key.limited_by, true);
        end if;
    end if;
    if key.mailboxes is not null then
        perform mailpipe.pin_mailboxes(key.id, key.mailboxes, p_need);
    end if;
    return row('key', key.id, key.organization_id, key.environment, key.scopes, null)::mailpipe.caller;
end;
$$;

revoke execute on function mailpipe.key_caller(jsonb, text) from public, anon, authenticated;
-- Granted to nobody: only authenticate looks a caller up.
