-- What: delete_step, for run-data-jobs.
-- Why: one call does one step and says which objects are to be removed before the next.
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

-- What went is added to the receipt; the objects are on record until the next step has removed them.
create function mailpipe.record_deletion_step(p_deletion mailpipe.deletions, p_job mailpipe.jobs, p_step jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    objects constant int := jsonb_array_length(coalesce(nullif(p_step -> 'objects', 'null'), '[]'));
begin
    update mailpipe.deletions
    set
        state = 'running',
        removed = mailpipe.added(removed, (p_step -> 'removed') || jsonb_build_object('objects', objects))
    where id = p_deletion.id;

    perform mailpipe.advance_job(p_job.id, p_job.fence, p_step - 'removed' - 'wait');
    update mailpipe.jobs
    set due_at = mailpipe.clock() + interval '1 minute'
    where id = p_job.id
        and (p_step ->> 'wait')::boolean;
end;
$$;

revoke execute on function mailpipe.record_deletion_step(mailpipe.deletions, mailpipe.jobs, jsonb) from public, anon, authenticated;
-- Granted to nobody: only a step records.

create function mailpipe.take_deletion_step(p_job mailpipe.jobs)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    deletion mailpipe.deletions;
    stage constant text := p_job.cursor ->> 'stage';
    step jsonb;
begin
    select asked.*
    into deletion
    from mailpipe.deletions as asked
    where asked.id = p_job.subject_id
        and asked.state in ('waiting', 'running');

    if stage = 'done' then
        perform mailpipe.finish_deletion(deletion);
        return '{"done": true}';
    end if;
    step := case
        when deletion.what = 'organization' then mailpipe.delete_organization_step(deletion, stage)
        when stage = 'messages' then mailpipe.delete_meant(deletion)
        when stage like 'sweep %' then mailpipe.delete_traces(deletion, p_job.cursor)
        when stage = 'requests' then mailpipe.delete_unmatched(deletion)
        else mailpipe.delete_copies(deletion)
    end;
    perform mailpipe.record_deletion_step(deletion, p_job, step);
    return jsonb_build_object('done', false);
end;
$$;

revoke execute on function mailpipe.take_deletion_step(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.take_deletion_step(mailpipe.jobs) to mailpipe_worker;

create function mailpipe_api.delete_step(p_caller jsonb, p_job_id text, p_fence bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    held mailpipe.jobs;
begin
    select job.*
    into held
    from mailpipe.jobs as job
    where job.id = p_job_id
        and job.fence = p_fence
        and job.kind = 'delete_data'
    for update;
    if held.id is null then
        return '{"done": true}';
    end if;
    return mailpipe.take_deletion_step(held);
end;
$$;

revoke execute on function mailpipe_api.delete_step(jsonb, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_step(jsonb, text, bigint) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.delete_step(jsonb, text, bigint) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
