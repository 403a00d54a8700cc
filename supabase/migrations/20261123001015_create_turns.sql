-- What: groups of jobs that take turns.
-- Why: what one endpoint has waiting costs the others nothing, not even the time to look past it.
-- Locks: none on existing objects.

-- Every group with something due in a lane, and since when. One step in the index a group, however much each has waiting.
create function mailpipe.groups_due(p_kind text, p_lane text)
returns table (group_id text, since timestamptz)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with recursive oldest_jobs as (
        (
            select job.group_id, job.due_at
            from mailpipe.jobs as job
            where job.kind = p_kind
                and job.lane = p_lane
                and job.group_id > ''
            order by job.group_id, job.due_at
            limit 1
        )
        union all
        select next_job.group_id, next_job.due_at
        from oldest_jobs
        cross join lateral (
            select job.group_id, job.due_at
            from mailpipe.jobs as job
            where job.kind = p_kind
                and job.lane = p_lane
                and job.group_id > oldest_jobs.group_id
            order by job.group_id, job.due_at
            limit 1
        ) as next_job
    )
    select oldest_jobs.group_id, oldest_jobs.due_at
    from oldest_jobs
    where oldest_jobs.due_at <= mailpipe.clock();
end;
$$;

revoke execute on function mailpipe.groups_due(text, text) from public, anon, authenticated;
grant execute on function mailpipe.groups_due(text, text) to mailpipe_worker;

-- Up to p_limit due jobs of one group in one lane, locked for whoever is about to take them; not those somebody else takes.
create function mailpipe.lock_group(p_kind text, p_lane text, p_group_id text, p_limit int)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return array(
        select job.id
        from mailpipe.jobs as job
        where job.kind = p_kind
            and job.lane = p_lane
            and job.group_id = p_group_id
            and job.due_at <= mailpipe.clock()
        order by job.due_at
        limit p_limit
        for update skip locked
    );
end;
$$;

revoke execute on function mailpipe.lock_group(text, text, text, int) from public, anon, authenticated;
grant execute on function mailpipe.lock_group(text, text, text, int) to mailpipe_worker;

-- How many of a group workers have in their hands; of one lane, where p_lane is given.
create function mailpipe.under_way(p_kind text, p_group_id text, p_lane text)
returns int
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select count(*)::int
        from mailpipe.jobs as job
        where job.kind = p_kind
            and job.group_id = p_group_id
            and job.lane = coalesce(p_lane, job.lane)
            and job.lease_until > mailpipe.clock()
    );
end;
$$;

revoke execute on function mailpipe.under_way(text, text, text) from public, anon, authenticated;
grant execute on function mailpipe.under_way(text, text, text) to mailpipe_worker;

-- Since when the oldest of a group's due jobs in a lane is due; null when none is.
create function mailpipe.due_since(p_kind text, p_group_id text, p_lane text)
returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select job.due_at
        from mailpipe.jobs as job
        where job.kind = p_kind
            and job.lane = p_lane
            and job.group_id = p_group_id
            and job.due_at <= mailpipe.clock()
        order by job.due_at
        limit 1
    );
end;
$$;

revoke execute on function mailpipe.due_since(text, text, text) from public, anon, authenticated;
grant execute on function mailpipe.due_since(text, text, text) to mailpipe_worker;
