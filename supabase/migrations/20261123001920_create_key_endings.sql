-- What: how keys fall and end, with what descends from them.
-- Why: our roles change no key by themselves; these functions only ever take life away, and only at home.
-- Locks: none on existing objects.

-- The keys right below p_ids: those they issued, and those they obtained by rotating another key; with p_successors
-- also those that are rotations of themselves.
create function mailpipe.keys_below(
    p_organization_id text,
    p_environment text,
    p_ids text[],
    p_successors boolean
)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(below.id order by below.id), '{}')
    from mailpipe.api_keys as below
    where below.organization_id = p_organization_id
        and below.environment = p_environment
        and (
            below.issued_by_key = any (p_ids)
            or (below.rotated_by_key = any (p_ids) and (p_successors or below.rotated_by_key <> below.replaces))
        );
$$;

revoke execute on function mailpipe.keys_below(text, text, text[], boolean) from public, anon, authenticated;
-- Granted to nobody: only felling looks below.

-- Revokes p_ids and, when p_descend, everything below; returns those that fell now. Level by level: each level is
-- locked before the next is looked for, so a child issued meanwhile is found there. The successor a named key made of
-- itself goes on, unless p_successors: a leaked key may have been rotated by whoever found it. Further down every
-- successor falls.
create function mailpipe.fell_keys(
    p_organization_id text,
    p_environment text,
    p_ids text[],
    p_descend boolean,
    p_successors boolean
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    level text[] := p_ids;
    seen text[] := '{}';
    fallen text[] := '{}';
begin
    while cardinality(level) > 0 loop
        perform key.id
        from mailpipe.api_keys as key
        where key.organization_id = p_organization_id
            and key.environment = p_environment
            and key.id = any (level)
        order by key.id
        -- Not "for update": a foreign key's share of a parent must not wait for this, or this for it.
        for no key update;

        with fell as (
            update mailpipe.api_keys as key
            set revoked_at = mailpipe.clock()
            where key.organization_id = p_organization_id
                and key.environment = p_environment
                and key.id = any (level)
                and key.revoked_at is null
            returning key.id
        )
        select fallen || coalesce(array_agg(fell.id), '{}')
        into fallen
        from fell;

        exit when not p_descend;
        level := array(
            select below
            from unnest(mailpipe.keys_below(
                p_organization_id, p_environment, level, p_successors or level <> p_ids
            )) as below
            where below <> all (seen)
        );
        seen := seen || level;
    end loop;
    return fallen;
end;
$$;

revoke execute on function mailpipe.fell_keys(text, text, text[], boolean, boolean) from public, anon, authenticated;
-- Granted to nobody: tenants revoke through revoke_at_home.

-- A rotated key ends at p_at at the latest, and with it what it issued or obtained.
create function mailpipe.end_keys(p_key mailpipe.api_keys, p_at timestamptz)
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    organization constant text := current_setting('mailpipe.organization_id', true);
    pinned constant text := current_setting('mailpipe.environment', true);
    level text[] := array[p_key.id];
    seen text[] := array[p_key.id];
    -- The key itself is not counted.
    ended int := -1;
begin
    while cardinality(level) > 0 loop
        ended := ended + (
            select count(*)
            from mailpipe.api_keys as key
            where key.id = any (level)
                and mailpipe.is_live(key)
        );

        update mailpipe.api_keys as key
        set expires_at = p_at
        where key.organization_id = organization
            and key.environment = pinned
            and key.id = any (level)
            and (key.expires_at is null or key.expires_at > p_at);

        level := array(
            select below
            from unnest(mailpipe.keys_below(organization, pinned, level, level <> array[p_key.id])) as below
            where below <> all (seen)
        );
        seen := seen || level;
    end loop;
    return ended;
end;
$$;

revoke execute on function mailpipe.end_keys(mailpipe.api_keys, timestamptz) from public, anon, authenticated;
grant execute on function mailpipe.end_keys(mailpipe.api_keys, timestamptz) to mailpipe_tenant;
