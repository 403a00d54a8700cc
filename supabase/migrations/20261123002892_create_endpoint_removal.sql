-- What: what goes with a removed endpoint.
-- Why: an endpoint may have a million deliveries behind it, and a statement has eight seconds.
-- Locks: none on existing objects.

-- Takes deliveries away with their jobs and attempts; how many went. What a worker is writing at this moment stays: it holds
-- the job, and may be waiting for the endpoint.
create function mailpipe.clear_deliveries(p_ids text[])
returns int
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    gone int;
begin
    delete from mailpipe.jobs
    where id = any (array(
        select job.id
        from mailpipe.jobs as job
        where job.kind = 'dispatch_delivery'
            and job.subject_id = any (p_ids)
        for update skip locked
    ));
    delete from mailpipe.deliveries as delivery
    where delivery.id = any (p_ids)
        and not exists (
            select
            from mailpipe.jobs as job
            where job.kind = 'dispatch_delivery'
                and job.subject_id = delivery.id
        );
    get diagnostics gone = row_count;
    return gone;
end;
$$;

revoke execute on function mailpipe.clear_deliveries(text[]) from public, anon, authenticated;
-- Granted to nobody: only what clears an endpoint takes deliveries away.

-- Up to p_limit deliveries of a removed endpoint, and with the last of them the endpoint itself. How many went.
create function mailpipe.clear_endpoint(p_endpoint mailpipe.webhook_endpoints, p_limit int)
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    gone constant int := mailpipe.clear_deliveries(array(
        select delivery.id
        from mailpipe.deliveries as delivery
        where delivery.organization_id = p_endpoint.organization_id
            and delivery.environment = p_endpoint.environment
            and delivery.endpoint_id = p_endpoint.id
        limit p_limit
    ));
begin
    delete from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_endpoint.id
        and not exists (
            select
            from mailpipe.deliveries as delivery
            where delivery.organization_id = endpoint.organization_id
                and delivery.environment = endpoint.environment
                and delivery.endpoint_id = endpoint.id
        );
    return gone;
end;
$$;

revoke execute on function mailpipe.clear_endpoint(mailpipe.webhook_endpoints, int) from public, anon, authenticated;
-- Granted to nobody: removals and maintenance clear.

-- For the caller who removes one: an endpoint with little behind it is gone at once.
create function mailpipe.clear_removed(p_id text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.clear_endpoint(endpoint, 1000)
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
        and endpoint.organization_id = current_setting('mailpipe.organization_id', true)
        and endpoint.environment = current_setting('mailpipe.environment', true)
        and endpoint.removed_at is not null;
$$;

revoke execute on function mailpipe.clear_removed(text) from public, anon, authenticated;
grant execute on function mailpipe.clear_removed(text) to mailpipe_tenant;

-- The next 10,000 of what removals left, the endpoint that was removed first before the others.
create function mailpipe.clear_removed_endpoints()
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    most constant int := 10000;
    gone int := 0;
    endpoint mailpipe.webhook_endpoints;
begin
    for endpoint in
        select removed.*
        from mailpipe.webhook_endpoints as removed
        where removed.removed_at is not null
        order by removed.removed_at
        limit 100
    loop
        exit when gone >= most;
        gone := gone + mailpipe.clear_endpoint(endpoint, most - gone);
    end loop;
    return gone;
end;
$$;

revoke execute on function mailpipe.clear_removed_endpoints() from public, anon, authenticated;
grant execute on function mailpipe.clear_removed_endpoints() to mailpipe_worker;
