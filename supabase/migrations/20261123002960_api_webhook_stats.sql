-- What: webhook_stats.
-- Why: how well each endpoint answers, and what waits for it, at a glance.
-- Locks: none on existing objects.

-- What tries came to, of an endpoint's newest 1,000 deliveries since p_since.
create function mailpipe.endpoint_rates(p_endpoint mailpipe.webhook_endpoints, p_since timestamptz)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    with recent_deliveries as (
        select delivery.organization_id, delivery.environment, delivery.id
        from mailpipe.deliveries as delivery
        where delivery.organization_id = p_endpoint.organization_id
            and delivery.environment = p_endpoint.environment
            and delivery.endpoint_id = p_endpoint.id
            and delivery.created_at >= p_since
        order by delivery.created_at desc, delivery.id desc
        limit 1000
    ),
    tries as (
        select attempt.outcome = 'succeeded' as succeeded, attempt.duration_ms
        from recent_deliveries
        join mailpipe.attempts as attempt
            on attempt.organization_id = recent_deliveries.organization_id
            and attempt.environment = recent_deliveries.environment
            and attempt.delivery_id = recent_deliveries.id
        where attempt.outcome is not null
            -- Nobody was called.
            and attempt.outcome <> 'disabled'
    )
    select jsonb_build_object(
        'attempts', count(*),
        'succeeded', count(*) filter (where tries.succeeded),
        'success_rate', round(avg(tries.succeeded::int), 4),
        'p50_ms', percentile_disc(0.5) within group (order by tries.duration_ms),
        'p95_ms', percentile_disc(0.95) within group (order by tries.duration_ms)
    )
    from tries;
$$;

revoke execute on function mailpipe.endpoint_rates(mailpipe.webhook_endpoints, timestamptz) from public, anon, authenticated;
grant execute on function mailpipe.endpoint_rates(mailpipe.webhook_endpoints, timestamptz) to mailpipe_tenant;

create function mailpipe.endpoint_backlog(p_endpoint_id text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'backlog', count(*),
        'oldest_waiting_at', mailpipe.rfc3339(min(job.created_at))
    )
    from mailpipe.jobs as job
    where job.kind = 'dispatch_delivery'
        and job.lane in ('first', 'retry')
        and job.group_id = p_endpoint_id;
$$;

revoke execute on function mailpipe.endpoint_backlog(text) from public, anon, authenticated;
grant execute on function mailpipe.endpoint_backlog(text) to mailpipe_tenant;

create function mailpipe_api.webhook_stats(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:read');
    since constant timestamptz := coalesce(
        (p_request ->> 'since')::timestamptz, mailpipe.clock() - interval '1 day'
    );
begin
    return jsonb_build_object(
        'since', mailpipe.rfc3339(since),
        'data', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'endpoint_id', endpoint.id, 'url', endpoint.url, 'enabled', endpoint.enabled,
                        'failing_since', mailpipe.rfc3339(endpoint.failing_since)
                    )
                    || mailpipe.endpoint_rates(endpoint, since)
                    || mailpipe.endpoint_backlog(endpoint.id)
                    order by endpoint.created_at desc, endpoint.id desc
                ),
                '[]'
            )
            from mailpipe.webhook_endpoints as endpoint
            where endpoint.removed_at is null
                and (p_request ->> 'endpoint_id' is null or endpoint.id = p_request ->> 'endpoint_id')
        )
    );
end;
$$;

revoke execute on function mailpipe_api.webhook_stats(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.webhook_stats(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.webhook_stats(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
