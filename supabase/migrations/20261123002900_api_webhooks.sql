-- What: create, list and show webhook endpoints.
-- Why: what is secret is sealed; the signing secret is shown once, of the customer's own headers only the names.
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
        'thin', p_endpoint.thin,
        'header_names', p_endpoint.header_names,
        'max_concurrent', p_endpoint.max_concurrent,
        'max_per_second', p_endpoint.max_per_second,
        'enabled', p_endpoint.enabled,
        'disabled_reason', p_endpoint.disabled_reason,
        'disabled_at', mailpipe.rfc3339(p_endpoint.disabled_at),
        'failing_since', mailpipe.rfc3339(p_endpoint.failing_since),
        'previous_secret_until', case
            when p_endpoint.previous_secret_until > mailpipe.clock()
            then mailpipe.rfc3339(p_endpoint.previous_secret_until)
        end,
        'environment', p_endpoint.environment,
        'created_at', mailpipe.rfc3339(p_endpoint.created_at)
    );
$$;

revoke execute on function mailpipe.show_endpoint(mailpipe.webhook_endpoints) from public, anon, authenticated;
grant execute on function mailpipe.show_endpoint(mailpipe.webhook_endpoints) to mailpipe_tenant;

-- Every event is written once for each endpoint, so a hundred in an environment are as many as an event can bear.
create function mailpipe.assert_room_for_endpoint(p_me mailpipe.caller)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- One after the other, or several at once would each find room for itself.
    perform pg_advisory_xact_lock(hashtext(concat('mailpipe.webhooks ', p_me.organization_id, p_me.environment)));
    if (
        select count(*) >= 100
        from mailpipe.webhook_endpoints as endpoint
        where endpoint.removed_at is null
    ) then
        raise sqlstate 'PT409' using message = 'too_many_webhooks';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_room_for_endpoint(mailpipe.caller) from public, anon, authenticated;
grant execute on function mailpipe.assert_room_for_endpoint(mailpipe.caller) to mailpipe_tenant;

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
    perform mailpipe.assert_room_for_endpoint(me);

    insert into mailpipe.webhook_endpoints (
        id, organization_id, environment, url, description, events, thin, headers, header_names, max_concurrent,
        max_per_second, secret
    )
    values (
        new_id, me.organization_id, me.environment, p_request ->> 'url', p_request ->> 'description',
        mailpipe.text_list(p_request -> 'events'), (p_request ->> 'thin')::boolean,
        mailpipe.seal('webhook_endpoints', new_id, 'headers', p_request ->> 'headers'),
        mailpipe.names_in(p_request -> 'headers'), (p_request ->> 'max_concurrent')::int,
        (p_request ->> 'max_per_second')::int,
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
                where endpoint.removed_at is null
                    and (place.id = '' or (endpoint.created_at, endpoint.id) < (place.at, place.id))
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
