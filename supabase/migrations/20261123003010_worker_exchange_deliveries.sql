-- What: exchange_deliveries, for dispatch-webhooks.
-- Why: one call hands in what tries came to and takes the next; a result counts only while its claim holds.
-- Locks: none on existing objects.

-- Whether nothing could be taken only because a second's tries were used up: then it is worth waiting for the next.
create function mailpipe.waits_for_a_second()
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from (values ('first'), ('retry')) as lanes (lane)
        cross join lateral mailpipe.endpoints_in_turn(lanes.lane, 100) as turn (endpoint_id)
        join mailpipe.webhook_endpoints as endpoint on endpoint.id = turn.endpoint_id
        where endpoint.enabled
            and mailpipe.tries_left(endpoint) <= 0
    );
$$;

revoke execute on function mailpipe.waits_for_a_second() from public, anon, authenticated;
grant execute on function mailpipe.waits_for_a_second() to mailpipe_worker;

-- Those with a delivery. One that was removed with its event at the moment it was queued leaves a job behind, which goes.
create function mailpipe.with_delivery(p_jobs mailpipe.jobs[])
returns mailpipe.jobs[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    whole constant mailpipe.jobs[] := array(
        select job
        from unnest(p_jobs) as job
        where exists (
            select
            from mailpipe.deliveries as delivery
            where delivery.id = job.subject_id
        )
    );
begin
    if cardinality(whole) < cardinality(p_jobs) then
        delete from mailpipe.jobs
        where id in (select job.id from unnest(p_jobs) as job)
            and id not in (select job.id from unnest(whole) as job);
    end if;
    return whole;
end;
$$;

revoke execute on function mailpipe.with_delivery(mailpipe.jobs[]) from public, anon, authenticated;
grant execute on function mailpipe.with_delivery(mailpipe.jobs[]) to mailpipe_worker;

create function mailpipe_api.exchange_deliveries(p_caller jsonb, p_results jsonb, p_first int, p_retry int)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    claimed mailpipe.jobs[];
begin
    perform mailpipe.finish_deliveries(p_results);
    claimed := mailpipe.with_delivery(array(
        select job
        from mailpipe.claim_lane('first', p_first) as job
        union all
        select job
        from mailpipe.claim_lane('retry', p_retry) as job
    ));

    insert into mailpipe.attempts (organization_id, environment, job_id, fence, delivery_id)
    select job.organization_id, job.environment, job.id, job.fence, job.subject_id
    from unnest(claimed) as job;

    return jsonb_build_object(
        'deliveries', (
            select coalesce(jsonb_agg(mailpipe.delivery_work(job)), '[]')
            from unnest(claimed) as job
        ),
        'wait', cardinality(claimed) = 0 and p_first > 0 and mailpipe.waits_for_a_second()
    );
end;
$$;

revoke execute on function mailpipe_api.exchange_deliveries(jsonb, jsonb, int, int) from public, anon, authenticated;
grant execute on function mailpipe_api.exchange_deliveries(jsonb, jsonb, int, int) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.exchange_deliveries(jsonb, jsonb, int, int) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
