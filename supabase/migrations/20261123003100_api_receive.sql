-- What: store_inbound_request, claim_inbound and finish_inbound.
-- Why: raw bytes first, then the 2xx, then the work as a job; a provider's retry adds nothing.
-- Locks: none on existing objects.

-- A provider's retry brings the same bytes again. Other bytes under a known name are not stored, so not accepted.
create function mailpipe.known_request(p_provider_id text, p_request jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    known mailpipe.inbound_requests;
begin
    select request.*
    into known
    from mailpipe.inbound_requests as request
    where request.provider_id = p_provider_id
        and request.event_key = p_request ->> 'event_key';

    if known.storage_key <> p_request ->> 'storage_key' then
        raise sqlstate 'PT409' using message = 'event_reused', detail = p_request ->> 'event_key';
    end if;
    return jsonb_build_object('id', known.id, 'repeated', true);
end;
$$;

revoke execute on function mailpipe.known_request(text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.known_request(text, jsonb) to mailpipe_tenant;

create function mailpipe_api.store_inbound_request(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'connection');
    stored text;
begin
    insert into mailpipe.inbound_requests (
        organization_id, environment, provider_id, kind, event_key, headers, storage_key, size_bytes
    )
    values (
        me.organization_id, me.environment, me.id, p_request ->> 'kind', p_request ->> 'event_key',
        p_request -> 'headers', p_request ->> 'storage_key', (p_request ->> 'size_bytes')::bigint
    )
    on conflict on constraint inbound_requests_once do nothing
    returning id
    into stored;

    if stored is null then
        return mailpipe.known_request(me.id, p_request);
    end if;

    insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
    values (me.organization_id, me.environment, 'process_inbound', stored);
    return jsonb_build_object('id', stored, 'repeated', false);
end;
$$;

revoke execute on function mailpipe_api.store_inbound_request(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.store_inbound_request(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.store_inbound_request(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

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
begin
    select stored.*
    into request
    from mailpipe.inbound_requests as stored
    join mailpipe.jobs as job on job.subject_id = stored.id
    where job.id = p_job_id;

    if not mailpipe.finish_job(p_job_id, p_fence, retry_in) then
        return '{"accepted": false}';
    end if;

    update mailpipe.inbound_requests
    set
        failure = left(p_result ->> 'failure', 500),
        processed_at = case when retry_in is null then mailpipe.clock() end
    where id = request.id;

    perform mailpipe.apply_or_keep_event(request, event)
    from jsonb_array_elements(p_result -> 'events') as event;
    return jsonb_build_object(
        'accepted', true,
        'messages', (
            select coalesce(jsonb_agg(arrived.id), '[]')
            from jsonb_array_elements(p_result -> 'mails') as mail
            cross join lateral mailpipe.store_mail(request, mail) as arrived (id)
        )
    );
end;
$$;

revoke execute on function mailpipe_api.finish_inbound(jsonb, text, bigint, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_inbound(jsonb, text, bigint, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_inbound(jsonb, text, bigint, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
