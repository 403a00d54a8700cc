-- What: delete_step, for run-data-jobs.
-- Why: one call does one step and says which objects are to be removed before the next.
-- Locks: none on existing objects.

-- What went is added to the receipt; objects are on record until the worker has removed them.
create function mailpipe.record_deletion_step(
    p_deletion mailpipe.deletions,
    p_job mailpipe.jobs,
    p_step jsonb,
    p_pending text[],
    p_removed text[]
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.deletions
    set
        state = 'running',
        removed = mailpipe.added(
            removed, coalesce(p_step -> 'removed', '{}') || jsonb_build_object('objects', cardinality(p_removed))
        )
    where id = p_deletion.id;

    perform mailpipe.advance_job(
        p_job.id, p_job.fence,
        p_step - 'removed' - 'wait'
            || jsonb_build_object('objects', to_jsonb(p_pending || mailpipe.text_list(p_step -> 'objects')))
    );
    update mailpipe.jobs
    set due_at = mailpipe.clock() + interval '1 minute'
    where id = p_job.id
        and (p_step ->> 'wait')::boolean;
end;
$$;

revoke execute on function mailpipe.record_deletion_step(mailpipe.deletions, mailpipe.jobs, jsonb, text[], text[]) from public, anon, authenticated;
-- Granted to nobody: only a step records.

create function mailpipe.deletion_step(p_deletion mailpipe.deletions, p_cursor jsonb, p_found text[])
returns jsonb
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_deletion.what = 'organization'
            then mailpipe.delete_organization_step(p_deletion, p_cursor ->> 'stage')
        when p_cursor ->> 'stage' = 'messages' then mailpipe.delete_meant(p_deletion)
        when p_cursor ->> 'stage' like 'sweep %' then mailpipe.delete_traces(p_deletion, p_cursor)
        when p_cursor ->> 'stage' = 'raw' then mailpipe.delete_raw(p_deletion, p_cursor ->> 'after', p_found)
        else mailpipe.delete_copies(p_deletion)
    end;
$$;

revoke execute on function mailpipe.deletion_step(mailpipe.deletions, jsonb, text[]) from public, anon, authenticated;
-- Granted to nobody: only a step decides.

-- p_removed are the objects the worker has removed, p_found the raw requests it found the person in. What is left of the
-- objects at the end is waited for.
create function mailpipe.take_deletion_step(p_job mailpipe.jobs, p_removed text[], p_found text[])
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    deletion mailpipe.deletions;
    pending constant text[] := mailpipe.unreferenced(array(
        select key
        from unnest(mailpipe.text_list(p_job.cursor -> 'objects')) as key
        where key <> all (p_removed)
    ));
    step jsonb := '{"stage": "done", "wait": true}';
begin
    select asked.*
    into deletion
    from mailpipe.deletions as asked
    where asked.id = p_job.subject_id
        and asked.state in ('waiting', 'running');

    if deletion.id is null then
        perform mailpipe.finish_job(p_job.id, p_job.fence, null);
        return '{"done": true}';
    end if;
    if p_job.cursor ->> 'stage' <> 'done' then
        step := mailpipe.deletion_step(deletion, p_job.cursor, p_found);
    end if;
    perform mailpipe.record_deletion_step(deletion, p_job, step, pending, p_removed);
    if p_job.cursor ->> 'stage' = 'done' and pending = '{}' then
        perform mailpipe.finish_deletion(deletion);
        return '{"done": true}';
    end if;
    return '{"done": false}';
end;
$$;

revoke execute on function mailpipe.take_deletion_step(mailpipe.jobs, text[], text[]) from public, anon, authenticated;
grant execute on function mailpipe.take_deletion_step(mailpipe.jobs, text[], text[]) to mailpipe_worker;

create function mailpipe_api.delete_step(
    p_caller jsonb,
    p_job_id text,
    p_fence bigint,
    p_removed jsonb,
    p_found jsonb
)
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
    return mailpipe.take_deletion_step(
        held, mailpipe.text_list(p_removed), mailpipe.text_list(p_found)
    );
end;
$$;

revoke execute on function mailpipe_api.delete_step(jsonb, text, bigint, jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_step(jsonb, text, bigint, jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.delete_step(jsonb, text, bigint, jsonb, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
