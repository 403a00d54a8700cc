-- What: flushing what keys used, keeping rate windows over a crash, and telling of keys that are due.
-- Why: counters live unlogged; once a minute they are written where a crash does not reach.
-- Locks: none on existing objects.

-- Adds what the last minute counted to what is kept. Ten thousand rows a call, key by key, so that the sixteen rows of a
-- key become one; those a request holds wait their turn.
create function mailpipe.flush_usage()
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    flushed int;
begin
    with picked as (
        select uses.key_id, uses.slot
        from mailpipe.key_uses as uses
        order by uses.key_id
        limit 10000
        for update skip locked
    ),
    taken as (
        delete from mailpipe.key_uses as uses
        using picked
        where uses.key_id = picked.key_id
            and uses.slot = picked.slot
        returning uses.*
    )
    insert into mailpipe.key_usage as known (
        organization_id, environment, key_id, used, refused, last_used_at, last_used_range
    )
    select
        key.organization_id, key.environment, key.id, sum(taken.used), sum(taken.refused), max(taken.last_used_at),
        (
            array_agg(taken.last_used_range order by taken.last_used_at desc)
                filter (where taken.last_used_range is not null)
        )[1]
    from taken
    join mailpipe.api_keys as key on key.id = taken.key_id
    group by key.organization_id, key.environment, key.id
    on conflict on constraint key_usage_pkey do update
    set
        used = known.used + excluded.used,
        refused = known.refused + excluded.refused,
        last_used_at = greatest(known.last_used_at, excluded.last_used_at),
        last_used_range = coalesce(excluded.last_used_range, known.last_used_range);
    get diagnostics flushed = row_count;
    return flushed;
end;
$$;

revoke execute on function mailpipe.flush_usage() from public, anon, authenticated;
grant execute on function mailpipe.flush_usage() to mailpipe_worker;

-- After a crash the unlogged windows are empty: what was kept is added to what was counted since. The sign of a crash
-- is that the row which only this function makes is gone.
create function mailpipe.recover_windows()
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    moment constant timestamptz := mailpipe.clock();
begin
    insert into mailpipe.rate_windows
    values ('upkeep', moment, 0, moment, 0, 'infinity', 0, 'infinity', 0)
    on conflict on constraint rate_windows_pkey do nothing;
    if not found then
        return;
    end if;
    insert into mailpipe.rate_windows as counted
    select saved.subject_id, moment, 0, moment, 0, saved.hour_at, saved.hour_used, saved.day_at, saved.day_used
    from mailpipe.saved_windows as saved
    where saved.day_at + interval '1 day' > moment
    on conflict on constraint rate_windows_pkey do update
    set
        hour_at = excluded.hour_at,
        hour_used = counted.hour_used + excluded.hour_used,
        day_at = excluded.day_at,
        day_used = counted.day_used + excluded.day_used;
end;
$$;

revoke execute on function mailpipe.recover_windows() from public, anon, authenticated;
-- Granted to nobody: keep_windows begins with it.

-- Copies the windows of an hour and a day, and takes away what has run out.
create function mailpipe.keep_windows()
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    expired int;
begin
    perform mailpipe.recover_windows();

    insert into mailpipe.saved_windows as saved
    select counted.subject_id, counted.hour_at, counted.hour_used, counted.day_at, counted.day_used
    from mailpipe.rate_windows as counted
    where counted.day_at <> 'infinity'
        and counted.day_at + interval '1 day' > mailpipe.clock()
        and not starts_with(counted.subject_id, 'report:')
    on conflict on constraint saved_windows_pkey do update
    set
        hour_at = excluded.hour_at,
        hour_used = excluded.hour_used,
        day_at = excluded.day_at,
        day_used = excluded.day_used
    where saved.day_used <> excluded.day_used
        or saved.day_at <> excluded.day_at;

    delete from mailpipe.saved_windows
    where day_at + interval '1 day' <= mailpipe.clock();

    with expired_windows as (
        select counted.subject_id
        from mailpipe.rate_windows as counted
        where counted.day_at + interval '1 day' <= mailpipe.clock()
        limit 5000
        for update skip locked
    )
    delete from mailpipe.rate_windows as counted
    using expired_windows
    where counted.subject_id = expired_windows.subject_id;
    get diagnostics expired = row_count;
    return expired;
end;
$$;

revoke execute on function mailpipe.keep_windows() from public, anon, authenticated;
grant execute on function mailpipe.keep_windows() to mailpipe_worker;
