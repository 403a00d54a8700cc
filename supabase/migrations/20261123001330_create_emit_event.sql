-- What: emit_event and emit_to.
-- Why: an event is written in the transaction of the change it tells of, and fans out in the same one.
-- Locks: none on existing objects.

-- Writes an event, and one delivery with its job for each of the endpoints given.
create function mailpipe.emit_to(
    p_organization_id text,
    p_environment text,
    p_type text,
    p_message_id text,
    p_data jsonb,
    p_endpoint_ids text[]
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    made_id constant text := mailpipe.new_id('evt');
begin
    insert into mailpipe.events (id, organization_id, environment, type, message_id, data)
    values (made_id, p_organization_id, p_environment, p_type, p_message_id, p_data);

    if cardinality(p_endpoint_ids) = 0 then
        return made_id;
    end if;
    with fanned_out as (
        insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id, thin)
        select p_organization_id, p_environment, made_id, endpoint.id, endpoint.thin
        from mailpipe.webhook_endpoints as endpoint
        where endpoint.organization_id = p_organization_id
            and endpoint.environment = p_environment
            and endpoint.id = any (p_endpoint_ids)
        -- One that is removed at this moment is waited for, and then is none.
        for key share
        returning deliveries.id, deliveries.endpoint_id
    )
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, group_id)
    select p_organization_id, p_environment, 'dispatch_delivery', fanned_out.id, fanned_out.endpoint_id
    from fanned_out;
    return made_id;
end;
$$;

revoke execute on function mailpipe.emit_to(text, text, text, text, jsonb, text[]) from public, anon, authenticated;
grant execute on function mailpipe.emit_to(text, text, text, text, jsonb, text[]) to mailpipe_tenant, mailpipe_worker;

-- Writes an event and, when p_announce, delivers it to every enabled endpoint that subscribed.
create function mailpipe.emit_event(
    p_organization_id text,
    p_environment text,
    p_type text,
    p_message_id text,
    p_data jsonb,
    p_announce boolean
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return mailpipe.emit_to(
        p_organization_id, p_environment, p_type, p_message_id, p_data,
        array(
            select endpoint.id
            from mailpipe.webhook_endpoints as endpoint
            where p_announce
                and endpoint.organization_id = p_organization_id
                and endpoint.environment = p_environment
                and endpoint.enabled
                and (p_type = any (endpoint.events) or '*' = any (endpoint.events))
        )
    );
end;
$$;

revoke execute on function mailpipe.emit_event(text, text, text, text, jsonb, boolean)
    from public, anon, authenticated;
grant execute on function mailpipe.emit_event(text, text, text, text, jsonb, boolean)
    to mailpipe_tenant, mailpipe_worker;
