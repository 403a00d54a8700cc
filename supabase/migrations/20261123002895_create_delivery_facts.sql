-- What: what the calls about deliveries have in common.
-- Why: deliveries of a removed endpoint are shown nowhere, and nothing is done with them.
-- Locks: none on existing objects.

create function mailpipe.is_removed(p_endpoint_id text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from mailpipe.webhook_endpoints as endpoint
        where endpoint.id = p_endpoint_id
            and endpoint.removed_at is not null
    );
$$;

revoke execute on function mailpipe.is_removed(text) from public, anon, authenticated;
grant execute on function mailpipe.is_removed(text) to mailpipe_tenant;

create function mailpipe.may_read(p_scopes text[], p_event_type text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select p_event_type !~ '^(key|audit)\.'
        or 'keys:read' = any (p_scopes);
$$;

revoke execute on function mailpipe.may_read(text[], text) from public, anon, authenticated;
grant execute on function mailpipe.may_read(text[], text) to mailpipe_tenant;

create function mailpipe.find_delivery(p_id text)
returns mailpipe.deliveries
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.deliveries;
begin
    select delivery.*
    into found_one
    from mailpipe.deliveries as delivery
    where delivery.id = p_id
        and not mailpipe.is_removed(delivery.endpoint_id);

    if found_one.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'delivery';
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_delivery(text) from public, anon, authenticated;
grant execute on function mailpipe.find_delivery(text) to mailpipe_tenant;

-- The newest twenty, oldest first; replays come on top of the eleven a schedule has.
create function mailpipe.delivery_attempts(p_delivery mailpipe.deliveries)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'started_at', mailpipe.rfc3339(tried.started_at),
                'duration_ms', tried.duration_ms,
                'status_code', tried.status_code,
                -- Nothing yet: it is under way, or its worker died.
                'outcome', coalesce(tried.outcome, 'unfinished'),
                'failure', nullif(tried.outcome, 'succeeded'),
                'detail', tried.detail
            )
            order by tried.started_at, tried.fence
        ),
        '[]'
    )
    from (
        select attempt.*
        from mailpipe.attempts as attempt
        where attempt.organization_id = p_delivery.organization_id
            and attempt.environment = p_delivery.environment
            and attempt.delivery_id = p_delivery.id
        order by attempt.started_at desc, attempt.fence desc
        limit 20
    ) as tried;
$$;

revoke execute on function mailpipe.delivery_attempts(mailpipe.deliveries) from public, anon, authenticated;
grant execute on function mailpipe.delivery_attempts(mailpipe.deliveries) to mailpipe_tenant;

create function mailpipe.show_delivery(p_delivery mailpipe.deliveries)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_delivery.id,
        'event_id', p_delivery.event_id,
        'event_type', event.type,
        'endpoint_id', p_delivery.endpoint_id,
        'environment', p_delivery.environment,
        'state', p_delivery.state,
        'failure', p_delivery.failure,
        'attempt_count', p_delivery.attempts,
        'attempts', mailpipe.delivery_attempts(p_delivery),
        'next_attempt_at', (
            select mailpipe.rfc3339(job.due_at)
            from mailpipe.jobs as job
            where job.kind = 'dispatch_delivery'
                and job.subject_id = p_delivery.id
                -- None while one is under way.
                and coalesce(job.lease_until <= mailpipe.clock(), true)
        ),
        'finished_at', mailpipe.rfc3339(p_delivery.finished_at),
        'created_at', mailpipe.rfc3339(p_delivery.created_at)
    )
    from mailpipe.events as event
    where event.organization_id = p_delivery.organization_id
        and event.environment = p_delivery.environment
        and event.id = p_delivery.event_id;
$$;

revoke execute on function mailpipe.show_delivery(mailpipe.deliveries) from public, anon, authenticated;
grant execute on function mailpipe.show_delivery(mailpipe.deliveries) to mailpipe_tenant;
