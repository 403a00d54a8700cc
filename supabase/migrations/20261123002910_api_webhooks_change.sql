-- What: get, update and delete a webhook endpoint.
-- Why: what waits is sent to the URL of now with the secret of now; what was removed is called no more.
-- Locks: none on existing objects.

create function mailpipe_api.get_webhook(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:read');
begin
    return mailpipe.show_endpoint(mailpipe.find_endpoint(p_id));
end;
$$;

revoke execute on function mailpipe_api.get_webhook(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_webhook(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_webhook(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- p_endpoint with the fields a request names. Another URL and a new start are a clean slate: what failed before does not
-- slow it down.
create function mailpipe.with_changes(p_endpoint mailpipe.webhook_endpoints, p_request jsonb)
returns mailpipe.webhook_endpoints
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    p_endpoint.url := coalesce(p_request ->> 'url', p_endpoint.url);
    p_endpoint.events := coalesce(mailpipe.text_list(p_request -> 'events'), p_endpoint.events);
    p_endpoint.thin := coalesce((p_request ->> 'thin')::boolean, p_endpoint.thin);
    p_endpoint.max_concurrent := coalesce((p_request ->> 'max_concurrent')::int, p_endpoint.max_concurrent);
    if p_request ? 'description' then
        p_endpoint.description := p_request ->> 'description';
    end if;
    if p_request ? 'max_per_second' then
        p_endpoint.max_per_second := (p_request ->> 'max_per_second')::int;
    end if;
    if p_request ? 'headers' then
        p_endpoint.headers := mailpipe.seal(
            'webhook_endpoints', p_endpoint.id, 'headers', p_request ->> 'headers'
        );
        p_endpoint.header_names := mailpipe.names_in(p_request -> 'headers');
    end if;
    if p_endpoint.disabled_reason = 'redacted' and (p_request ->> 'enabled')::boolean and not p_request ? 'url' then
        raise sqlstate 'PT409' using message = 'webhook_redacted', detail = p_endpoint.url;
    end if;
    if p_request ? 'enabled' and (p_request ->> 'enabled')::boolean <> p_endpoint.enabled then
        p_endpoint.enabled := (p_request ->> 'enabled')::boolean;
        p_endpoint.disabled_reason := case when not p_endpoint.enabled then 'by_hand' end;
        p_endpoint.disabled_at := case when not p_endpoint.enabled then mailpipe.clock() end;
    end if;
    if p_request ? 'url' or p_request ? 'enabled' then
        p_endpoint.failing_since := null;
        p_endpoint.resume_at := null;
        p_endpoint.slots := 4;
    end if;
    return p_endpoint;
end;
$$;

revoke execute on function mailpipe.with_changes(mailpipe.webhook_endpoints, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.with_changes(mailpipe.webhook_endpoints, jsonb) to mailpipe_tenant;

create function mailpipe_api.update_webhook(p_caller jsonb, p_id text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:write');
    changed mailpipe.webhook_endpoints := mailpipe.with_changes(mailpipe.lock_endpoint(p_id), p_request);
begin
    update mailpipe.webhook_endpoints
    set
        url = changed.url,
        description = changed.description,
        events = changed.events,
        thin = changed.thin,
        headers = changed.headers,
        header_names = changed.header_names,
        max_concurrent = changed.max_concurrent,
        max_per_second = changed.max_per_second,
        enabled = changed.enabled,
        disabled_reason = changed.disabled_reason,
        disabled_at = changed.disabled_at,
        failing_since = changed.failing_since,
        resume_at = changed.resume_at,
        slots = changed.slots
    where id = changed.id;

    perform mailpipe.record_audit(
        me, 'webhook.changed', p_id, jsonb_build_object('fields', mailpipe.names_in(p_request))
    );
    return mailpipe.show_endpoint(changed);
end;
$$;

revoke execute on function mailpipe_api.update_webhook(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.update_webhook(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.update_webhook(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.delete_webhook(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:write');
    target mailpipe.webhook_endpoints;
begin
    -- Whoever is about to queue something for it waits, and then does not find it.
    perform
    from mailpipe.webhook_endpoints as endpoint
    where endpoint.id = p_id
    for update;
    target := mailpipe.find_endpoint(p_id);

    update mailpipe.webhook_endpoints
    set
        removed_at = mailpipe.clock(),
        enabled = false,
        disabled_reason = 'removed',
        disabled_at = mailpipe.clock()
    where id = target.id;

    perform mailpipe.clear_removed(target.id);
    perform mailpipe.record_audit(me, 'webhook.removed', p_id, '{}');
    return jsonb_build_object('id', p_id, 'removed', true);
end;
$$;

revoke execute on function mailpipe_api.delete_webhook(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_webhook(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.delete_webhook(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
