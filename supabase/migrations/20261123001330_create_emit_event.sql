-- What: emit_event.
-- Why: an event is written in the transaction of the change it tells of, and fans out in the same one.
-- Locks: none on existing objects.

-- Writes an event and, when p_announce, one delivery and one job for every enabled endpoint that subscribed.
create function mailpipe.emit_event(
    p_organization_id text,
    p_environment text,
    p_type text,
    p_message_id text,
    p_data jsonb,
    p_announce boolean
)
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    with event as (
        insert into mailpipe.events (organization_id, environment, type, message_id, data)
        values (p_organization_id, p_environment, p_type, p_message_id, p_data)
        returning id
    ),
    fanned_out as (
        insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id)
        select p_organization_id, p_environment, event.id, endpoint.id
        from event
        cross join mailpipe.webhook_endpoints as endpoint
        where p_announce
            and endpoint.organization_id = p_organization_id
            and endpoint.environment = p_environment
            and endpoint.enabled
            and (p_type = any (endpoint.events) or '*' = any (endpoint.events))
        returning id
    ),
    queued as (
        insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
        select p_organization_id, p_environment, 'dispatch_delivery', fanned_out.id
        from fanned_out
    )
    select event.id
    from event;
$$;

revoke execute on function mailpipe.emit_event(text, text, text, text, jsonb, boolean)
    from public, anon, authenticated;
grant execute on function mailpipe.emit_event(text, text, text, text, jsonb, boolean)
    to mailpipe_tenant, mailpipe_worker;
