-- What: store_inbound_request, for receive-webhook.
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
