-- What: list_events and get_event.
-- Why: an event is read in full where its webhook held only a link.
-- Locks: none on existing objects.

create function mailpipe.show_event(p_event mailpipe.events)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_event.id,
        'type', p_event.type,
        'environment', p_event.environment,
        'message_id', p_event.message_id,
        'payload_version', p_event.payload_version,
        'created_at', mailpipe.rfc3339(p_event.created_at),
        'data', p_event.data,
        'deliveries', (
            select coalesce(
                jsonb_agg(
                    jsonb_build_object(
                        'id', delivery.id,
                        'endpoint_id', delivery.endpoint_id,
                        'state', delivery.state,
                        'failure', delivery.failure,
                        'attempt_count', delivery.attempts
                    )
                    order by delivery.id
                ),
                '[]'
            )
            from mailpipe.deliveries as delivery
            where delivery.organization_id = p_event.organization_id
                and delivery.environment = p_event.environment
                and delivery.event_id = p_event.id
                and not mailpipe.is_removed(delivery.endpoint_id)
        )
    );
$$;

revoke execute on function mailpipe.show_event(mailpipe.events) from public, anon, authenticated;
grant execute on function mailpipe.show_event(mailpipe.events) to mailpipe_tenant;

-- Planned anew for what each request asks.
create function mailpipe_api.list_events(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:read');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
    only_type text := p_request ->> 'type';
    only_message text := p_request ->> 'message_id';
    since timestamptz := (p_request ->> 'since')::timestamptz;
    until timestamptz := (p_request ->> 'until')::timestamptz;
begin
    return mailpipe.page(
        (
            select coalesce(
                jsonb_agg(mailpipe.show_event(listed) order by listed.created_at desc, listed.id desc),
                '[]'
            )
            from (
                select event.*
                from mailpipe.events as event
                where (place.id = '' or (event.created_at, event.id) < (place.at, place.id))
                    and (only_type is null or event.type = only_type)
                    and (only_message is null or event.message_id = only_message)
                    and mailpipe.may_read(me.scopes, event.type)
                    and (since is null or event.created_at >= since)
                    and (until is null or event.created_at < until)
                order by event.created_at desc, event.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_events(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_events(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_events(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.get_event(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:read');
    target mailpipe.events;
begin
    select event.*
    into target
    from mailpipe.events as event
    where event.id = p_id
        and mailpipe.may_read(me.scopes, event.type);

    if target.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'event';
    end if;
    return mailpipe.show_event(target);
end;
$$;

revoke execute on function mailpipe_api.get_event(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_event(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_event(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
