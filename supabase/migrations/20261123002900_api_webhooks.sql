-- What: create, list and delete webhook endpoints.
-- Why: the secret is shown once and sealed; removing an endpoint removes what still waits for it.
-- Locks: none on existing objects.

create function mailpipe.show_endpoint(p_endpoint mailpipe.webhook_endpoints)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_endpoint.id,
        'url', p_endpoint.url,
        'description', p_endpoint.description,
        'events', p_endpoint.events,
        'enabled', p_endpoint.enabled,
        'environment', p_endpoint.environment,
        'created_at', mailpipe.rfc3339(p_endpoint.created_at)
    );
$$;

revoke execute on function mailpipe.show_endpoint(mailpipe.webhook_endpoints) from public, anon, authenticated;
grant execute on function mailpipe.show_endpoint(mailpipe.webhook_endpoints) to mailpipe_tenant;

create function mailpipe_api.create_webhook(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:write');
    new_id text := mailpipe.new_id('whk');
    made mailpipe.webhook_endpoints;
begin
    perform mailpipe.assert_environment(me, p_request ->> 'environment');

    insert into mailpipe.webhook_endpoints (id, organization_id, environment, url, description, events, secret)
    values (
        new_id, me.organization_id, me.environment, p_request ->> 'url', p_request ->> 'description',
        array(select jsonb_array_elements_text(p_request -> 'events')),
        mailpipe.seal('webhook_endpoints', new_id, 'secret', p_request ->> 'secret')
    )
    returning *
    into made;

    perform mailpipe.record_audit(me, 'webhook.created', made.id, '{}');
    return mailpipe.show_endpoint(made);
end;
$$;

revoke execute on function mailpipe_api.create_webhook(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.create_webhook(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.create_webhook(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.list_webhooks(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:read');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select endpoint.id, endpoint.created_at, mailpipe.show_endpoint(endpoint) as shown
                from mailpipe.webhook_endpoints as endpoint
                where place.id = '' or (endpoint.created_at, endpoint.id) < (place.at, place.id)
                order by endpoint.created_at desc, endpoint.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_webhooks(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_webhooks(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_webhooks(jsonb, jsonb) owner to mailpipe_tenant;
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
begin
    delete from mailpipe.jobs as job
    using mailpipe.deliveries as delivery
    where job.kind = 'dispatch_delivery'
        and job.subject_id = delivery.id
        and delivery.endpoint_id = p_id;

    delete from mailpipe.webhook_endpoints
    where id = p_id;

    if not found then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'webhook';
    end if;
    perform mailpipe.record_audit(me, 'webhook.removed', p_id, '{}');
    return jsonb_build_object('id', p_id, 'removed', true);
end;
$$;

revoke execute on function mailpipe_api.delete_webhook(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_webhook(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.delete_webhook(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
