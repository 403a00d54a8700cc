-- What: claims of deliveries, and what a worker is told of each.
-- Why: endpoints take turns, organizations before endpoints; each gets as many tries as it can bear.
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
        'enabled', endpoint.enabled,
        'headers', mailpipe.unseal(
            endpoint.organization_id, 'webhook_endpoints', endpoint.id, 'headers', endpoint.headers
        )::jsonb,
        'secret', mailpipe.unseal(
            endpoint.organization_id, 'webhook_endpoints', endpoint.id, 'secret', endpoint.secret
        ),
        'previous_secret', case
            when endpoint.previous_secret_until > mailpipe.clock()
            then mailpipe.unseal(
                endpoint.organization_id, 'webhook_endpoints', endpoint.id, 'previous_secret',
                endpoint.previous_secret
            )
        end
    )
    from mailpipe.deliveries as delivery
    join mailpipe.events as event on event.id = delivery.event_id
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = delivery.endpoint_id
    cross join lateral (select case when delivery.thin then event.thin_body else event.body end) as bytes (body)
    where delivery.id = p_job.subject_id;
$$;

revoke execute on function mailpipe.delivery_work(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.delivery_work(mailpipe.jobs) to mailpipe_worker;

-- Endpoints with something due in a lane that they may be asked now, the longest waiting of each organization first, then
-- the second of each, and so on.
create function mailpipe.endpoints_in_turn(p_lane text, p_limit int)
returns setof text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select endpoint.id
    from mailpipe.groups_due('dispatch_delivery', p_lane) as due
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = due.group_id
    where endpoint.removed_at is null
        and mailpipe.tries_allowed(endpoint, p_lane) > 0
    order by
        row_number() over (partition by endpoint.organization_id order by due.since, endpoint.id),
        due.since
    limit p_limit;
end;
$$;

revoke execute on function mailpipe.endpoints_in_turn(text, int) from public, anon, authenticated;
grant execute on function mailpipe.endpoints_in_turn(text, int) to mailpipe_worker;

-- Takes up to p_room due deliveries from a lane. An endpoint another worker is looking at is left to it.
create function mailpipe.claim_lane(p_lane text, p_room int)
returns setof mailpipe.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    room int := p_room;
    taken int;
    turn text;
    endpoint mailpipe.webhook_endpoints;
begin
    for turn in select mailpipe.endpoints_in_turn(p_lane, p_room) loop
        select locked.*
        into endpoint
        from mailpipe.webhook_endpoints as locked
        where locked.id = turn
        for no key update skip locked;

        continue when endpoint.id is null;
        return query
        select claimed.*
        from mailpipe.claim_group(
            'dispatch_delivery', p_lane, endpoint.id,
            greatest(least(room, mailpipe.tries_allowed(endpoint, p_lane), mailpipe.tries_left(endpoint)), 0),
            -- Four times the total deadline of one try (15 s).
            interval '60 seconds'
        ) as claimed;
        get diagnostics taken = row_count;
        perform mailpipe.take_tries(endpoint, taken);
        room := room - taken;
        exit when room = 0;
    end loop;
end;
$$;

revoke execute on function mailpipe.claim_lane(text, int) from public, anon, authenticated;
grant execute on function mailpipe.claim_lane(text, int) to mailpipe_worker;

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
