-- What: list_deliveries and get_delivery.
-- Why: a customer sees each try, what it came to and what the receiver said, without asking anybody.
-- Locks: none on existing objects.

-- Planned anew for what each request asks: failed ones are few, and have an index of their own.
create function mailpipe_api.list_deliveries(p_caller jsonb, p_request jsonb)
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
    only_state text := p_request ->> 'state';
    only_endpoint text := p_request ->> 'endpoint_id';
    only_event text := p_request ->> 'event_id';
    only_type text := p_request ->> 'event_type';
    only_failure text := p_request ->> 'failure';
    since timestamptz := (p_request ->> 'since')::timestamptz;
    until timestamptz := (p_request ->> 'until')::timestamptz;
    removed text[] := array(
        select endpoint.id
        from mailpipe.webhook_endpoints as endpoint
        where endpoint.removed_at is not null
    );
begin
    return mailpipe.page(
        (
            select coalesce(
                jsonb_agg(mailpipe.show_delivery(listed) order by listed.created_at desc, listed.id desc),
                '[]'
            )
            from (
                select delivery.*
                from mailpipe.deliveries as delivery
                where (place.id = '' or (delivery.created_at, delivery.id) < (place.at, place.id))
                    and (only_state is null or delivery.state = only_state)
                    and (only_endpoint is null or delivery.endpoint_id = only_endpoint)
                    and (only_event is null or delivery.event_id = only_event)
                    and (only_failure is null or delivery.failure = only_failure)
                    and (since is null or delivery.created_at >= since)
                    and (until is null or delivery.created_at < until)
                    and delivery.endpoint_id <> all (removed)
                    and (
                        only_type is null
                        or exists (
                            select
                            from mailpipe.events as event
                            where event.id = delivery.event_id
                                and event.type = only_type
                        )
                    )
                order by delivery.created_at desc, delivery.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_deliveries(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_deliveries(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_deliveries(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.get_delivery(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:read');
    target constant mailpipe.deliveries := mailpipe.find_delivery(p_id);
begin
    -- The bytes as they are sent, which is what a signature is over; none before the first try, and for who may not read
    -- the event.
    return mailpipe.show_delivery(target) || jsonb_build_object('body', (
        select case when target.thin then event.thin_body else event.body end
        from mailpipe.events as event
        where event.organization_id = target.organization_id
            and event.environment = target.environment
            and event.id = target.event_id
            and mailpipe.may_read(me.scopes, event.type)
    ));
end;
$$;

revoke execute on function mailpipe_api.get_delivery(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_delivery(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_delivery(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
