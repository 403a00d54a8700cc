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

-- Locked, so that what is decided on it holds; events go on being written for it.
create function mailpipe.find_endpoint(p_id text)
returns mailpipe.webhook_endpoints
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.webhook_endpoints;
begin
    select endpoint.*
    into found_one
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
        and endpoint.removed_at is null
    for no key update;

    if found_one.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'webhook';
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_endpoint(text) from public, anon, authenticated;
grant execute on function mailpipe.find_endpoint(text) to mailpipe_tenant;

create function mailpipe.find_enabled_endpoint(p_id text)
returns mailpipe.webhook_endpoints
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one constant mailpipe.webhook_endpoints := mailpipe.find_endpoint(p_id);
begin
    if not found_one.enabled then
        raise sqlstate 'PT409' using message = 'webhook_disabled', detail = found_one.disabled_reason;
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_enabled_endpoint(text) from public, anon, authenticated;
grant execute on function mailpipe.find_enabled_endpoint(text) to mailpipe_tenant;
