-- What: exchange_deliveries, for dispatch-webhooks.
-- Why: one call hands in what tries came to and takes the next; a result counts only while its claim holds.
-- Locks: none on existing objects.

-- Milliseconds until an endpoint with something due goes on, when that is within a second: its tries of this second are
-- used up, or it rests after a failure that is not a minute old. Null when there is none; one that has failed for longer
-- is left to the sweep.
create function mailpipe.next_second()
returns int
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select ceil(extract(epoch from min(goes_on.at) - mailpipe.clock()) * 1000)::int
    from unnest(array['first', 'retry']) as lanes (lane)
    cross join lateral mailpipe.groups_due('dispatch_delivery', lanes.lane) as due
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = due.group_id
    left join mailpipe.rate_windows as known on known.subject_id = endpoint.id
    cross join lateral (
        select greatest(
            case when mailpipe.tries_left(endpoint) <= 0 then known.second_at + interval '1 second' end,
            case when endpoint.failing_since > mailpipe.clock() - interval '1 minute' then endpoint.resume_at end
        ) as at
    ) as goes_on
    where endpoint.enabled
        and goes_on.at > mailpipe.clock()
        and goes_on.at <= mailpipe.clock() + interval '1 second';
$$;

revoke execute on function mailpipe.next_second() from public, anon, authenticated;
grant execute on function mailpipe.next_second() to mailpipe_worker;

-- Those with a delivery, which stays until the attempt is on record. One that is being removed with its event keeps its lease
-- until that is decided; one that is gone leaves a job behind, which goes.
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
        cross join lateral (
            select
            from mailpipe.deliveries as delivery
            where delivery.id = job.subject_id
            for key share skip locked
        ) as kept
    );
begin
    if cardinality(whole) < cardinality(p_jobs) then
        delete from mailpipe.jobs as job
        using unnest(p_jobs) as claimed
        where job.id = claimed.id
            and not exists (
                select
                from mailpipe.deliveries as delivery
                where delivery.id = claimed.subject_id
            );
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
        'wait_ms', case when cardinality(claimed) = 0 and p_first > 0 then mailpipe.next_second() end
    );
end;
$$;

revoke execute on function mailpipe_api.exchange_deliveries(jsonb, jsonb, int, int) from public, anon, authenticated;
grant execute on function mailpipe_api.exchange_deliveries(jsonb, jsonb, int, int) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.exchange_deliveries(jsonb, jsonb, int, int) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
