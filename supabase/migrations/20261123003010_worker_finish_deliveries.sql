-- What: finish_deliveries, for dispatch-webhooks.
-- Why: a result counts only while its claim holds.
-- Locks: none on existing objects.

create function mailpipe.finish_delivery(p_result jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    retry_in constant interval := make_interval(secs => (p_result ->> 'retry_in_seconds')::double precision);
    succeeded constant boolean := p_result ->> 'outcome' = 'succeeded';
begin
    if not mailpipe.finish_job(p_result ->> 'job_id', (p_result ->> 'fence')::bigint, retry_in) then
        return;
    end if;

    update mailpipe.attempts
    set
        outcome = p_result ->> 'outcome',
        status_code = (p_result ->> 'status_code')::int,
        duration_ms = (p_result ->> 'duration_ms')::int,
        -- Characters: at four bytes each still within the 4 KiB that are kept.
        detail = left(p_result ->> 'detail', 1000),
        finished_at = mailpipe.clock()
    where job_id = p_result ->> 'job_id'
        and fence = (p_result ->> 'fence')::bigint;

    update mailpipe.deliveries
    set
        attempts = attempts + 1,
        state = case
            when succeeded then 'succeeded'
            when retry_in is null then 'failed'
            else 'pending'
        end,
        finished_at = case when succeeded or retry_in is null then mailpipe.clock() end
    where id = p_result ->> 'delivery_id';

    if (p_result ->> 'disable')::boolean then
        update mailpipe.webhook_endpoints as endpoint
        set enabled = false
        from mailpipe.deliveries as delivery
        where delivery.id = p_result ->> 'delivery_id'
            and endpoint.id = delivery.endpoint_id;
    end if;
end;
$$;

revoke execute on function mailpipe.finish_delivery(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.finish_delivery(jsonb) to mailpipe_worker;

create function mailpipe_api.finish_deliveries(p_caller jsonb, p_results jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
begin
    perform mailpipe.finish_delivery(result)
    from jsonb_array_elements(p_results) as result;
    return jsonb_build_object('finished', jsonb_array_length(p_results));
end;
$$;

revoke execute on function mailpipe_api.finish_deliveries(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_deliveries(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_deliveries(jsonb, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
