-- What: what the calls about endpoints have in common.
-- Why: one place says which endpoint is found, and how the names of an object are read.
-- Locks: none on existing objects.

-- The names of an object's fields, in their order; none of null.
create function mailpipe.names_in(p_object jsonb)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(name order by name), '{}')
    from jsonb_object_keys(nullif(p_object, 'null')) as name;
$$;

revoke execute on function mailpipe.names_in(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.names_in(jsonb) to mailpipe_tenant;

create function mailpipe.find_endpoint(p_id text)
returns mailpipe.webhook_endpoints
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.webhook_endpoints;
begin
    select endpoint.*
    into found_one
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
        and endpoint.removed_at is null;

    if found_one.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'webhook';
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_endpoint(text) from public, anon, authenticated;
grant execute on function mailpipe.find_endpoint(text) to mailpipe_tenant;

-- Until the transaction ends nobody else changes it, and no worker takes from what waits for it. Events go on being
-- written for it. Only who changes it locks it: a worker passes over an endpoint that is locked.
create function mailpipe.lock_endpoint(p_id text)
returns mailpipe.webhook_endpoints
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
    for no key update;

    return mailpipe.find_endpoint(p_id);
end;
$$;

revoke execute on function mailpipe.lock_endpoint(text) from public, anon, authenticated;
grant execute on function mailpipe.lock_endpoint(text) to mailpipe_tenant;

-- For whoever queues something for it: it is not removed until that is done. A worker does not wait for it meanwhile.
create function mailpipe.find_enabled_endpoint(p_id text)
returns mailpipe.webhook_endpoints
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.webhook_endpoints;
begin
    perform
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
    for key share;

    found_one := mailpipe.find_endpoint(p_id);
    if not found_one.enabled then
        raise sqlstate 'PT409' using message = 'webhook_disabled', detail = found_one.disabled_reason;
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_enabled_endpoint(text) from public, anon, authenticated;
grant execute on function mailpipe.find_enabled_endpoint(text) to mailpipe_tenant;
