-- What: replay_deliveries, of one delivery or of all that failed since a time.
-- Why: what a receiver lost is sent again under the same id; many are a job with a cursor, which no restart loses.
-- Locks: none on existing objects.

-- Makes one that waits due now, with all its tries before it. Its job; null when none waits. One that a worker has in hand is
-- refused: how that try ends would decide what becomes of it.
create function mailpipe.hurry_delivery(p_delivery_id text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    waiting mailpipe.jobs;
begin
    select job.*
    into waiting
    from mailpipe.jobs as job
    where job.kind = 'dispatch_delivery'
        and job.subject_id = p_delivery_id
    for update;

    if waiting.lease_until > mailpipe.clock() then
        raise sqlstate 'PT409' using message = 'delivery_under_way', detail = p_delivery_id;
    end if;
    update mailpipe.jobs
    set
        due_at = mailpipe.clock(),
        attempts = 0
    where id = waiting.id;
    return waiting.id;
end;
$$;

revoke execute on function mailpipe.hurry_delivery(text) from public, anon, authenticated;
grant execute on function mailpipe.hurry_delivery(text) to mailpipe_tenant, mailpipe_worker;

-- Queues a delivery once more. One that waits anyway is due now. Its job. Two that do this
-- at once take turns at the job, so it is queued once.
create function mailpipe.replay_delivery(p_delivery mailpipe.deliveries, p_lane text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    queued text;
begin
    -- A worker may finish the one that waits between the two.
    while queued is null loop
        insert into mailpipe.jobs (organization_id, environment, kind, subject_id, group_id, lane)
        values (
            p_delivery.organization_id, p_delivery.environment, 'dispatch_delivery', p_delivery.id,
            p_delivery.endpoint_id, p_lane
        )
        on conflict on constraint jobs_one_per_subject do nothing
        returning id
        into queued;

        if queued is not null then
            update mailpipe.deliveries
            set
                state = 'pending',
                finished_at = null
            where id = p_delivery.id;
            return queued;
        end if;
        queued := mailpipe.hurry_delivery(p_delivery.id);
    end loop;
    return queued;
end;
$$;

revoke execute on function mailpipe.replay_delivery(mailpipe.deliveries, text) from public, anon, authenticated;
grant execute on function mailpipe.replay_delivery(mailpipe.deliveries, text) to mailpipe_tenant, mailpipe_worker;

-- One replay of an endpoint at a time. What fails again while it runs is not taken a second time.
create function mailpipe.start_replay(p_endpoint mailpipe.webhook_endpoints, p_since timestamptz)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    started text;
begin
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, cursor)
    values (
        p_endpoint.organization_id, p_endpoint.environment, 'replay_deliveries', p_endpoint.id,
        jsonb_build_object('at', mailpipe.rfc3339(p_since), 'id', '', 'until', mailpipe.rfc3339(mailpipe.clock()))
    )
    on conflict on constraint jobs_one_per_subject do nothing
    returning id
    into started;

    if started is null then
        raise sqlstate 'PT409' using message = 'replay_running', detail = p_endpoint.id;
    end if;
    return started;
end;
$$;

revoke execute on function mailpipe.start_replay(mailpipe.webhook_endpoints, timestamptz) from public, anon, authenticated;
grant execute on function mailpipe.start_replay(mailpipe.webhook_endpoints, timestamptz) to mailpipe_tenant;

create function mailpipe_api.replay_deliveries(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:write');
    delivery mailpipe.deliveries;
    endpoint mailpipe.webhook_endpoints;
    started text;
begin
    if p_request ? 'delivery_id' then
        delivery := mailpipe.find_delivery(p_request ->> 'delivery_id');
        endpoint := mailpipe.find_enabled_endpoint(delivery.endpoint_id);
        started := mailpipe.replay_delivery(delivery, 'first');
    else
        endpoint := mailpipe.find_enabled_endpoint(p_request ->> 'endpoint_id');
        started := mailpipe.start_replay(endpoint, (p_request ->> 'since')::timestamptz);
    end if;
    perform mailpipe.record_audit(
        me, 'webhook.replayed', endpoint.id, p_request - 'endpoint_id' || jsonb_build_object('job_id', started)
    );
    return jsonb_build_object('job_id', started);
end;
$$;

revoke execute on function mailpipe_api.replay_deliveries(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.replay_deliveries(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.replay_deliveries(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
