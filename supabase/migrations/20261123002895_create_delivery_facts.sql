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

create function mailpipe.is_event_of(p_event_id text, p_type text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from mailpipe.events as event
        where event.id = p_event_id
            and event.type = p_type
    );
$$;

revoke execute on function mailpipe.is_event_of(text, text) from public, anon, authenticated;
grant execute on function mailpipe.is_event_of(text, text) to mailpipe_tenant;

create function mailpipe.find_delivery(p_id text)
returns mailpipe.deliveries
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.deliveries;
begin
    select delivery.*
    into found_one
    from mailpipe.deliveries as delivery
    where delivery.id = p_id
        and not mailpipe.is_removed(delivery.endpoint_id)
    for no key update;

    if found_one.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'delivery';
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_delivery(text) from public, anon, authenticated;
grant execute on function mailpipe.find_delivery(text) to mailpipe_tenant;
