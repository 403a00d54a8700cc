-- What: replay_step, for run-data-jobs.
-- Why: a step is short, however many deliveries failed; the next one, or another worker, goes on from there.
-- Locks: none on existing objects.

-- Up to p_limit deliveries of the endpoint a replay is of that were given up before it began, in that order, from its cursor
-- on. What is given up again while it runs was so later, and is not taken a second time.
create function mailpipe.deliveries_to_replay(p_job mailpipe.jobs, p_limit int)
returns setof mailpipe.deliveries
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select delivery.*
    from mailpipe.deliveries as delivery
    where delivery.organization_id = p_job.organization_id
        and delivery.environment = p_job.environment
        and delivery.endpoint_id = p_job.subject_id
        and delivery.state = 'failed'
        and (delivery.finished_at, delivery.id) > ((p_job.cursor ->> 'at')::timestamptz, p_job.cursor ->> 'id')
        and delivery.finished_at <= (p_job.cursor ->> 'until')::timestamptz
    order by delivery.finished_at, delivery.id
    limit p_limit;
$$;

revoke execute on function mailpipe.deliveries_to_replay(mailpipe.jobs, int) from public, anon, authenticated;
grant execute on function mailpipe.deliveries_to_replay(mailpipe.jobs, int) to mailpipe_worker;

-- Whether the endpoint is there and enabled. Whoever removes it waits until what is queued then is there to be removed.
create function mailpipe.hold_endpoint(p_id text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
        and endpoint.enabled
    for key share;
    return found;
end;
$$;

revoke execute on function mailpipe.hold_endpoint(text) from public, anon, authenticated;
grant execute on function mailpipe.hold_endpoint(text) to mailpipe_worker;

-- They go to the lane of retries: an event that happens now is not to wait behind a replay. A replay of an endpoint that
-- was disabled or removed meanwhile ends.
create function mailpipe_api.replay_step(p_caller jsonb, p_job_id text, p_fence bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    per_step constant int := 500;
    job mailpipe.jobs;
    delivery mailpipe.deliveries;
    replayed int := 0;
begin
    select held.*
    into job
    from mailpipe.jobs as held
    where held.id = p_job_id
        and held.kind = 'replay_deliveries'
        and held.fence = p_fence
    for update;

    if mailpipe.hold_endpoint(job.subject_id) then
        foreach delivery in array array(select mailpipe.deliveries_to_replay(job, per_step)) loop
            perform mailpipe.replay_delivery(delivery, 'retry');
            replayed := replayed + 1;
        end loop;
    end if;
    if replayed < per_step then
        perform mailpipe.finish_job(job.id, p_fence, null);
    else
        perform mailpipe.advance_job(
            job.id, p_fence,
            job.cursor || jsonb_build_object('at', mailpipe.rfc3339(delivery.finished_at), 'id', delivery.id)
        );
    end if;
    return jsonb_build_object('replayed', replayed, 'done', replayed < per_step);
end;
$$;

revoke execute on function mailpipe_api.replay_step(jsonb, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe_api.replay_step(jsonb, text, bigint) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.replay_step(jsonb, text, bigint) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
