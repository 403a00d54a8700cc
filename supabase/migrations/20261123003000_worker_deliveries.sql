-- What: claim_deliveries and store_event_bodies, for dispatch-webhooks.
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
