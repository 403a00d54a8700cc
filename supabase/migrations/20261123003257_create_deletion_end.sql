-- What: adding up what a deletion removed, and its end.
-- Why: a receipt is made while rows go, and names nobody when they are gone.
-- Locks: none on existing objects.

-- Two counts of removed things, added up by their names; what is none is left out.
create function mailpipe.added(p_one jsonb, p_other jsonb)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(counted.name, counted.number) filter (where counted.number > 0), '{}')
    from (
        select both_counts.key as name, sum(both_counts.value::bigint) as number
        from unnest(array[p_one, p_other]) as given (counts)
        cross join lateral jsonb_each_text(given.counts) as both_counts
        group by both_counts.key
    ) as counted;
$$;

revoke execute on function mailpipe.added(jsonb, jsonb) from public, anon, authenticated;
-- Granted to nobody: only deletions count.

-- The receipt names nobody. An organization goes with the job itself, and with its data key if that was still there.
create function mailpipe.finish_deletion(p_deletion mailpipe.deletions)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.deletions
    set
        state = 'done',
        subject = null,
        finished_at = mailpipe.clock()
    where id = p_deletion.id;
    -- Somebody may have asked for the same and never confirmed it.
    delete from mailpipe.deletions
    where organization_id = p_deletion.organization_id
        and what = p_deletion.what
        and subject = p_deletion.subject
        and state = 'asked';
    delete from mailpipe.jobs
    where kind = 'delete_data'
        and subject_id = p_deletion.id;
    delete from mailpipe.organizations
    where p_deletion.what = 'organization'
        and id = p_deletion.organization_id;
end;
$$;

revoke execute on function mailpipe.finish_deletion(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only a step finishes.
