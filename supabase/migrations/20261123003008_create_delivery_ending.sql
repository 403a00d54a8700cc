-- What: finish_deliveries: what tries came to, and what follows from it.
-- Why: a result counts only while its claim holds, and teaches how its endpoint is to be treated.
-- Locks: none on existing objects.

-- What tries came to, endpoint by endpoint, as learn_pace takes it, with what to disable.
create function mailpipe.finish_tries(p_results jsonb)
returns table (endpoint_id text, tries jsonb, disable text, given_up boolean)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with results as materialized (
        select result.*
        from jsonb_to_recordset(p_results) as result (
            job_id text, fence bigint, delivery_id text, outcome text, status_code int, duration_ms int, detail text,
            overloaded boolean, retry_in_seconds float8, leave_alone_seconds float8, disable text
        )
        where mailpipe.finish_job(result.job_id, result.fence, make_interval(secs => result.retry_in_seconds))
    ),
    noted as (
        update mailpipe.attempts as attempt
        set
            outcome = results.outcome,
            status_code = results.status_code,
            duration_ms = results.duration_ms,
            detail = results.detail,
            finished_at = mailpipe.clock()
        from results
        where attempt.job_id = results.job_id
            and attempt.fence = results.fence
    ),
    changed as (
        update mailpipe.deliveries as delivery
        set
            attempts = delivery.attempts + 1,
            failure = nullif(results.outcome, 'succeeded'),
            state = case
                when results.outcome = 'succeeded' then 'succeeded'
                when results.retry_in_seconds is null then 'failed'
                else 'pending'
            end,
            finished_at = case when results.retry_in_seconds is null then mailpipe.clock() end
        from results
        where delivery.id = results.delivery_id
        returning delivery.endpoint_id, results.*
    )
    select
        changed.endpoint_id,
        jsonb_build_object(
            'succeeded', count(*) filter (where changed.outcome = 'succeeded'),
            'overloaded', count(*) filter (where changed.overloaded),
            'failed', count(*) filter (where changed.outcome not in ('succeeded', 'disabled')),
            'leave_alone', coalesce(
                max(changed.leave_alone_seconds),
                case when bool_and(changed.overloaded) then 1 end
            )
        ),
        max(changed.disable),
        bool_or(changed.retry_in_seconds is null and changed.outcome not in ('succeeded', 'disabled'))
    from changed
    group by changed.endpoint_id;
end;
$$;

revoke execute on function mailpipe.finish_tries(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.finish_tries(jsonb) to mailpipe_worker;

create function mailpipe.finish_deliveries(p_results jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    finished record;
    endpoint mailpipe.webhook_endpoints;
begin
    -- In one order, so that two workers never wait for each other.
    for finished in
        select tried.*
        from mailpipe.finish_tries(p_results) as tried
        order by tried.endpoint_id
    loop
        perform mailpipe.learn_pace(finished.endpoint_id, finished.tries);
        continue when finished.disable is null and not finished.given_up;
        select known.*
        into endpoint
        from mailpipe.webhook_endpoints as known
        where known.id = finished.endpoint_id;
        if finished.disable is not null then
            perform mailpipe.disable_endpoint(endpoint.id, finished.disable);
        elsif mailpipe.has_failed_for_good(endpoint) then
            perform mailpipe.disable_endpoint(endpoint.id, 'failing');
        end if;
    end loop;
end;
$$;

revoke execute on function mailpipe.finish_deliveries(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.finish_deliveries(jsonb) to mailpipe_worker;
