-- What: claim_inbound and finish_inbound, for process-inbound.
-- Why: what a stored request says is worked out once, and written in one transaction.
-- Locks: none on existing objects.

create function mailpipe.inbound_work(p_job mailpipe.jobs)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'job_id', p_job.id,
        'fence', p_job.fence,
        'attempt', p_job.attempts,
        'organization_id', request.organization_id,
        'environment', request.environment,
        'kind', request.kind,
        'headers', request.headers,
        'storage_key', request.storage_key,
        'credentials', mailpipe.unseal(
            provider.organization_id, 'providers', provider.id, 'credentials', provider.credentials
        )::jsonb,
        'inbound_secret', mailpipe.unseal(
            provider.organization_id, 'providers', provider.id, 'inbound_secret', provider.inbound_secret
        )
    )
    from mailpipe.inbound_requests as request
    join mailpipe.providers as provider on provider.id = request.provider_id
    where request.id = p_job.subject_id;
$$;

revoke execute on function mailpipe.inbound_work(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.inbound_work(mailpipe.jobs) to mailpipe_worker;

create function mailpipe_api.claim_inbound(p_caller jsonb, p_limit int)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
begin
    return (
        select coalesce(jsonb_agg(mailpipe.inbound_work(job)), '[]')
        from mailpipe.claim_jobs('process_inbound', p_limit, interval '120 seconds') as job
    );
end;
$$;

revoke execute on function mailpipe_api.claim_inbound(jsonb, int) from public, anon, authenticated;
grant execute on function mailpipe_api.claim_inbound(jsonb, int) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.claim_inbound(jsonb, int) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;

-- p_result: { events, mails, failure, retry_in_seconds }. With a failure nothing else is written.
create function mailpipe_api.finish_inbound(p_caller jsonb, p_job_id text, p_fence bigint, p_result jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    retry_in constant interval := make_interval(secs => (p_result ->> 'retry_in_seconds')::double precision);
    request mailpipe.inbound_requests;
    arrived text[];
begin
    select stored.*
    into request
    from mailpipe.inbound_requests as stored
    join mailpipe.jobs as job on job.subject_id = stored.id
    where job.id = p_job_id;
    if not mailpipe.finish_job(p_job_id, p_fence, retry_in) then
        return '{"accepted": false}';
    end if;

    arrived := array(
        select stored.id
        from jsonb_array_elements(p_result -> 'mails') as mail
        cross join lateral mailpipe.store_mail(request, mail) as stored (id)
    );

    update mailpipe.inbound_requests
    set
        failure = left(p_result ->> 'failure', 500),
        processed_at = case when retry_in is null then mailpipe.clock() end,
        message_ids = arrived || array_remove(array(
            select mailpipe.apply_or_keep_event(request, event)
            from jsonb_array_elements(p_result -> 'events') as event
        ), null)
    where id = request.id;
    return jsonb_build_object('accepted', true, 'messages', to_jsonb(arrived));
end;
$$;

revoke execute on function mailpipe_api.finish_inbound(jsonb, text, bigint, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_inbound(jsonb, text, bigint, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_inbound(jsonb, text, bigint, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
