-- What: rewrap_data_keys: one step of a rotation, for the worker that holds its job.
-- Why: a step is short, whatever the number of organizations; the next one, or another worker, goes on from there.
-- Locks: none on existing objects.

create function mailpipe_api.rewrap_data_keys(p_caller jsonb, p_job_id text, p_fence bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    done_before bigint;
    step jsonb;
begin
    select coalesce((job.cursor ->> 'rewrapped')::bigint, 0)
    into done_before
    from mailpipe.jobs as job
    where job.id = p_job_id
        and job.kind = 'rewrap_keys'
        and job.fence = p_fence
    for update;

    if not found then
        return '{"accepted": false, "rewrapped": 0, "left": null, "done": false}';
    end if;

    step := mailpipe.rewrap_oldest(500);
    if step ->> 'left' = '0' then
        perform mailpipe.finish_job(p_job_id, p_fence, null);
    else
        -- The lease starts anew with every step.
        update mailpipe.jobs
        set
            lease_until = mailpipe.clock() + interval '1 minute',
            due_at = mailpipe.clock() + interval '1 minute',
            cursor = jsonb_build_object('rewrapped', done_before + (step ->> 'rewrapped')::bigint)
        where id = p_job_id;
    end if;
    return step || jsonb_build_object('accepted', true, 'done', step ->> 'left' = '0');
end;
$$;

revoke execute on function mailpipe_api.rewrap_data_keys(jsonb, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe_api.rewrap_data_keys(jsonb, text, bigint) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.rewrap_data_keys(jsonb, text, bigint) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
