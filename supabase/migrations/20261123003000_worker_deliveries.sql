-- What: what a worker is told of a delivery, and store_event_bodies.
-- Why: a try needs nothing but this; the bytes of an event are composed once and kept.
-- Locks: none on existing objects.

-- What is sealed of an endpoint. Without any secret where one does not open, after a restore say: that is a failed try of
-- this endpoint, and nobody else's.
create function mailpipe.endpoint_secrets(p_endpoint mailpipe.webhook_endpoints)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_build_object(
        'headers', mailpipe.unseal(
            p_endpoint.organization_id, 'webhook_endpoints', p_endpoint.id, 'headers', p_endpoint.headers
        )::jsonb,
        'secret', mailpipe.unseal(
            p_endpoint.organization_id, 'webhook_endpoints', p_endpoint.id, 'secret', p_endpoint.secret
        ),
        'previous_secret', case
            when p_endpoint.previous_secret_until > mailpipe.clock()
            then mailpipe.unseal(
                p_endpoint.organization_id, 'webhook_endpoints', p_endpoint.id, 'previous_secret',
                p_endpoint.previous_secret
            )
        end
    );
exception
    when external_routine_invocation_exception or sqlstate 'PT503' then
        return '{"headers": null, "secret": null, "previous_secret": null}';
end;
$$;

revoke execute on function mailpipe.endpoint_secrets(mailpipe.webhook_endpoints) from public, anon, authenticated;
grant execute on function mailpipe.endpoint_secrets(mailpipe.webhook_endpoints) to mailpipe_worker;

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
        'lane', p_job.lane,
        'delivery_id', delivery.id,
        'thin', delivery.thin,
        'event', jsonb_build_object(
            'id', event.id,
            'type', event.type,
            'created_at', mailpipe.rfc3339(event.created_at),
            'data', case when bytes.body is null then event.data end
        ),
        'payload_version', event.payload_version,
        'body', bytes.body,
        'url', endpoint.url,
        'enabled', endpoint.enabled
    ) || mailpipe.endpoint_secrets(endpoint)
    from mailpipe.deliveries as delivery
    join mailpipe.events as event on event.id = delivery.event_id
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = delivery.endpoint_id
    cross join lateral (select case when delivery.thin then event.thin_body else event.body end) as bytes (body)
    where delivery.id = p_job.subject_id;
$$;

revoke execute on function mailpipe.delivery_work(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.delivery_work(mailpipe.jobs) to mailpipe_worker;

-- p_bodies is { event id: { body?, thin_body? } }; the first composer wins, and everybody gets the winner's bytes back.
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
    set
        body = coalesce(event.body, composed.bodies ->> 'body'),
        thin_body = coalesce(event.thin_body, composed.bodies ->> 'thin_body')
    from jsonb_each(p_bodies) as composed (event_id, bodies)
    where event.id = composed.event_id;

    return (
        select coalesce(
            jsonb_object_agg(event.id, jsonb_build_object('body', event.body, 'thin_body', event.thin_body)),
            '{}'
        )
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
