-- What: claim_deliveries, store_event_bodies and finish_deliveries, for dispatch-webhooks.
-- Why: the body is composed once and stored before the first try, so every try sends the same bytes.
-- Locks: none on existing objects.

create function mailpipe.delivery_work(p_job mailpipe.jobs)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'job_id', p_job.id,
        'fence', p_job.fence,
        'attempt', p_job.attempts,
        'delivery_id', delivery.id,
        'event', jsonb_build_object(
            'id', event.id,
            'type', event.type,
            'created_at', mailpipe.rfc3339(event.created_at),
            'data', event.data
        ),
        'body', event.body,
        'url', endpoint.url,
        'enabled', endpoint.enabled,
        'secret', mailpipe.unseal(
            endpoint.organization_id, 'webhook_endpoints', endpoint.id, 'secret', endpoint.secret
        )
    )
    from mailpipe.deliveries as delivery
    join mailpipe.events as event on event.id = delivery.event_id
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = delivery.endpoint_id
    where delivery.id = p_job.subject_id;
$$;

revoke execute on function mailpipe.delivery_work(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.delivery_work(mailpipe.jobs) to mailpipe_worker;

create function mailpipe_api.claim_deliveries(p_caller jsonb, p_limit int)
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
    -- Four times the total deadline of one try (15 s).
    claimed := array(
        select job
        from mailpipe.claim_jobs('dispatch_delivery', p_limit, interval '60 seconds') as job
    );

    insert into mailpipe.attempts (organization_id, environment, job_id, fence, delivery_id)
    select job.organization_id, job.environment, job.id, job.fence, job.subject_id
    from unnest(claimed) as job;

    return (
        select coalesce(jsonb_agg(mailpipe.delivery_work(job)), '[]')
        from unnest(claimed) as job
    );
end;
$$;

revoke execute on function mailpipe_api.claim_deliveries(jsonb, int) from public, anon, authenticated;
grant execute on function mailpipe_api.claim_deliveries(jsonb, int) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.claim_deliveries(jsonb, int) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;

-- p_bodies is { event id: body }; the first composer wins, and everybody gets the winner's bytes back.
create function mailpipe_api.store_event_bodies(p_caller jsonb, p_bodies jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
begin
    update mailpipe.events as event
    set body = composed.body
    from jsonb_each_text(p_bodies) as composed (event_id, body)
    where event.id = composed.event_id
        and event.body is null;

    return (
        select coalesce(jsonb_object_agg(event.id, event.body), '{}')
        from mailpipe.events as event
        where event.id in (select jsonb_object_keys(p_bodies))
    );
end;
$$;

revoke execute on function mailpipe_api.store_event_bodies(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.store_event_bodies(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.store_event_bodies(jsonb, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;

create function mailpipe.finish_delivery(p_result jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    retry_in constant interval := make_interval(secs => (p_result ->> 'retry_in_seconds')::double precision);
    succeeded constant boolean := p_result ->> 'outcome' = 'succeeded';
begin
    if not mailpipe.finish_job(p_result ->> 'job_id', (p_result ->> 'fence')::bigint, retry_in) then
        return;
    end if;

    update mailpipe.attempts
    set
        outcome = p_result ->> 'outcome',
        status_code = (p_result ->> 'status_code')::int,
        duration_ms = (p_result ->> 'duration_ms')::int,
        -- Characters: at four bytes each still within the 4 KiB that are kept.
        detail = left(p_result ->> 'detail', 1000),
        finished_at = mailpipe.clock()
    where job_id = p_result ->> 'job_id'
        and fence = (p_result ->> 'fence')::bigint;

    update mailpipe.deliveries
    set
        attempts = attempts + 1,
        state = case
            when succeeded then 'succeeded'
            when retry_in is null then 'failed'
            else 'pending'
        end,
        finished_at = case when succeeded or retry_in is null then mailpipe.clock() end
    where id = p_result ->> 'delivery_id';

    if (p_result ->> 'disable')::boolean then
        update mailpipe.webhook_endpoints as endpoint
        set enabled = false
        from mailpipe.deliveries as delivery
        where delivery.id = p_result ->> 'delivery_id'
            and endpoint.id = delivery.endpoint_id;
    end if;
end;
$$;

revoke execute on function mailpipe.finish_delivery(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.finish_delivery(jsonb) to mailpipe_worker;

create function mailpipe_api.finish_deliveries(p_caller jsonb, p_results jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
begin
    perform mailpipe.finish_delivery(result)
    from jsonb_array_elements(p_results) as result;
    return jsonb_build_object('finished', jsonb_array_length(p_results));
end;
$$;

revoke execute on function mailpipe_api.finish_deliveries(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_deliveries(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_deliveries(jsonb, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
