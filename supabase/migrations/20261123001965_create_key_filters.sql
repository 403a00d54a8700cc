-- What: finding keys by what they have in common, and what stands below and above a key.
-- Why: a bulk revocation shows in a dry run what it will do, and spares its caller.
-- Locks: none on existing objects.

-- Dead keys match as well: what came from one may live.
create function mailpipe.keys_matching(p_filter jsonb)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(key.id), '{}')
    from mailpipe.api_keys as key
    where (
            p_filter ->> 'created_by' is null
            or p_filter ->> 'created_by' in (
                key.issued_by_key, key.issued_by_user::text, key.rotated_by_key, key.rotated_by_user::text
            )
        )
        and (p_filter ->> 'scope' is null or p_filter ->> 'scope' = any (key.scopes))
        and (p_filter ->> 'issued_before' is null or key.created_at < (p_filter ->> 'issued_before')::timestamptz)
        and (p_filter ->> 'issued_after' is null or key.created_at >= (p_filter ->> 'issued_after')::timestamptz)
        and (
            p_filter ->> 'never_used' is null
            or (p_filter ->> 'never_used')::boolean = ((mailpipe.usage_of(key.id)).used = 0)
        )
        and (
            p_filter ->> 'ip_range' is null
            or (mailpipe.usage_of(key.id)).last_used_range && (p_filter ->> 'ip_range')::cidr
        );
$$;

revoke execute on function mailpipe.keys_matching(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.keys_matching(jsonb) to mailpipe_tenant;

-- p_ids with everything that falls with them: what fell_keys would take.
create function mailpipe.with_descendants(p_ids text[], p_successors boolean)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with recursive falling as (
        select key_id collate "C" as id, not p_successors as is_named
        from unnest(p_ids) as key_id
        union
        select child.id, false
        from mailpipe.api_keys as child
        join falling on child.issued_by_key = falling.id
            or (
                child.rotated_by_key = falling.id
                and (child.rotated_by_key <> child.replaces or not falling.is_named)
            )
    )
    select coalesce(array_agg(distinct falling.id), '{}')
    from falling;
$$;

revoke execute on function mailpipe.with_descendants(text[], boolean) from public, anon, authenticated;
grant execute on function mailpipe.with_descendants(text[], boolean) to mailpipe_tenant;

-- What a request to revoke p_ids takes: these alone, or with what falls with them, as is the default.
create function mailpipe.keys_taken(p_ids text[], p_request jsonb)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when coalesce((p_request ->> 'descendants')::boolean, true)
        -- Whoever made a key may have rotated it by itself.
        then mailpipe.with_descendants(p_ids, coalesce(p_request -> 'filter' ? 'created_by', false))
        else p_ids
    end;
$$;

revoke execute on function mailpipe.keys_taken(text[], jsonb) from public, anon, authenticated;
grant execute on function mailpipe.keys_taken(text[], jsonb) to mailpipe_tenant;

-- A caller's own key and every key that takes it along when it falls, which a filter spares.
create function mailpipe.keys_above(p_id text, p_successors boolean)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with recursive rising as (
        select key.id, key.issued_by_key, key.rotated_by_key, key.replaces, true as takes_along
        from mailpipe.api_keys as key
        where key.id = p_id
        union
        select
            above.id, above.issued_by_key, above.rotated_by_key, above.replaces,
            above.id = rising.issued_by_key or rising.rotated_by_key <> rising.replaces
        from mailpipe.api_keys as above
        join rising on above.id in (rising.issued_by_key, rising.rotated_by_key)
    )
    select coalesce(array_agg(distinct rising.id) filter (where rising.takes_along or p_successors), '{}')
    from rising;
$$;

revoke execute on function mailpipe.keys_above(text, boolean) from public, anon, authenticated;
grant execute on function mailpipe.keys_above(text, boolean) to mailpipe_tenant;
