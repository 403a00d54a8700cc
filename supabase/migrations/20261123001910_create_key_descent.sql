-- What: what a key may hand down: a child's fences and limits lie within its issuer's.
-- Why: whoever holds a key can make no other that may do what it may not.
-- Locks: none on existing objects.

-- The issuer as it is now, held until the child is stored: a revocation at the same time waits for the child and takes
-- it along, or comes first and refuses it. Null where a session issues.
create function mailpipe.hold_issuer(p_me mailpipe.caller)
returns mailpipe.api_keys
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    issuer mailpipe.api_keys;
begin
    if p_me.kind <> 'key' then
        return null;
    end if;
    select key.*
    into issuer
    from mailpipe.api_keys as key
    where key.id = p_me.id
    for share;

    if not mailpipe.is_live(issuer) then
        raise sqlstate 'PT401' using message = 'invalid_credential', hint = issuer.id;
    end if;
    return issuer;
end;
$$;

revoke execute on function mailpipe.hold_issuer(mailpipe.caller) from public, anon, authenticated;
grant execute on function mailpipe.hold_issuer(mailpipe.caller) to mailpipe_tenant;

create function mailpipe.assert_scopes(p_me mailpipe.caller, p_wanted text[])
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not p_wanted <@ p_me.scopes then
        raise sqlstate 'PT403' using
            message = 'scope_missing',
            detail = (select string_agg(scope, ' ') from unnest(p_wanted) as scope where scope <> all (p_me.scopes));
    end if;
end;
$$;

revoke execute on function mailpipe.assert_scopes(mailpipe.caller, text[]) from public, anon, authenticated;
grant execute on function mailpipe.assert_scopes(mailpipe.caller, text[]) to mailpipe_tenant;

-- Each of these three: without a wish the issuer's own, without an issuer's the wish, else the wish if it lies within.
create function mailpipe.within_list(p_issuer text[], p_wanted text[], p_fence text)
returns text[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_issuer is not null and not p_wanted <@ p_issuer then
        raise sqlstate 'PT403' using
            message = 'fence_violated',
            detail = concat(p_fence, ': a key hands down no more than it has');
    end if;
    return coalesce(p_wanted, p_issuer);
end;
$$;

revoke execute on function mailpipe.within_list(text[], text[], text) from public, anon, authenticated;
grant execute on function mailpipe.within_list(text[], text[], text) to mailpipe_tenant;

create function mailpipe.within_ranges(p_issuer cidr[], p_wanted cidr[])
returns cidr[]
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_issuer is not null and exists (
        select
        from unnest(p_wanted) as wanted
        where not wanted <<= any (p_issuer)
    ) then
        raise sqlstate 'PT403' using
            message = 'fence_violated',
            detail = 'ip_ranges: a key hands down no more than it has';
    end if;
    return coalesce(p_wanted, p_issuer);
end;
$$;

revoke execute on function mailpipe.within_ranges(cidr[], cidr[]) from public, anon, authenticated;
grant execute on function mailpipe.within_ranges(cidr[], cidr[]) to mailpipe_tenant;

create function mailpipe.within_limit(p_issuer int, p_wanted int, p_limit text)
returns int
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_wanted > p_issuer then
        raise sqlstate 'PT403' using
            message = 'fence_violated',
            detail = concat(p_limit, ': a key hands down no more than it has');
    end if;
    return coalesce(p_wanted, p_issuer);
end;
$$;

revoke execute on function mailpipe.within_limit(int, int, text) from public, anon, authenticated;
grant execute on function mailpipe.within_limit(int, int, text) to mailpipe_tenant;

-- Mailboxes are named by id or address and kept by id. A mailbox of the other environment is none.
create function mailpipe.find_mailboxes(p_named jsonb)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    unknown bigint;
    ids text[];
begin
    select
        min(named.place) filter (where mailbox.id is null),
        array_agg(distinct mailbox.id)
    into unknown, ids
    from jsonb_array_elements_text(p_named) with ordinality as named (text, place)
    left join mailpipe.mailboxes as mailbox
        on named.text in (mailbox.id, lower(normalize(mailbox.address, nfc)));

    -- A key that is for some mailboxes sees no other, so what it names beside them is more than it has.
    if unknown is not null and current_setting('mailpipe.mailboxes', true) <> '' then
        perform mailpipe.within_list('{}', '{*}', 'mailboxes');
    end if;
    if unknown is not null then
        raise sqlstate 'PT422' using
            message = 'invalid_request',
            detail = format('fences.mailboxes[%s]: no mailbox of this environment has this id or address', unknown - 1);
    end if;
    return ids;
end;
$$;

revoke execute on function mailpipe.find_mailboxes(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.find_mailboxes(jsonb) to mailpipe_tenant;
