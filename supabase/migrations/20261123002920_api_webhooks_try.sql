-- What: rotate_webhook_secret and test_webhook.
-- Why: a receiver is moved to a new secret without losing an event, and tried without waiting for one.
-- Locks: none on existing objects.

-- The secret before stays valid for overlap_seconds. Within an overlap only a rotation without one is taken, which ends every
-- secret before at once: a third secret beside two would leave a receiver behind.
create function mailpipe_api.rotate_webhook_secret(p_caller jsonb, p_id text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:write');
    target constant mailpipe.webhook_endpoints := mailpipe.lock_endpoint(p_id);
    overlap constant int := (p_request ->> 'overlap_seconds')::int;
    changed mailpipe.webhook_endpoints;
begin
    if overlap > 0 and target.previous_secret_until > mailpipe.clock() then
        raise sqlstate 'PT409' using
            message = 'secret_rotating',
            detail = mailpipe.rfc3339(target.previous_secret_until);
    end if;
    update mailpipe.webhook_endpoints
    set
        secret = mailpipe.seal('webhook_endpoints', target.id, 'secret', p_request ->> 'secret'),
        previous_secret = case
            when overlap > 0
            then mailpipe.reseal('webhook_endpoints', target.id, 'secret', 'previous_secret', target.secret)
        end,
        previous_secret_until = case
            when overlap > 0
            then mailpipe.clock() + make_interval(secs => overlap)
        end
    where id = target.id
    returning *
    into changed;

    perform mailpipe.record_audit(
        me, 'webhook.secret_rotated', p_id, jsonb_build_object('overlap_seconds', overlap)
    );
    return mailpipe.show_endpoint(changed);
end;
$$;

revoke execute on function mailpipe_api.rotate_webhook_secret(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.rotate_webhook_secret(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.rotate_webhook_secret(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- The event goes to this endpoint alone, whatever it subscribed to.
create function mailpipe_api.test_webhook(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'webhooks:write');
    target constant mailpipe.webhook_endpoints := mailpipe.find_enabled_endpoint(p_id);
    told constant text := mailpipe.emit_to(
        me.organization_id, me.environment, 'webhook.test', null,
        jsonb_build_object('endpoint_id', target.id, 'message', 'Sent by POST webhooks/<id>/test.'),
        array[target.id]
    );
begin
    return (
        select jsonb_build_object('event_id', told, 'delivery_id', delivery.id)
        from mailpipe.deliveries as delivery
        where delivery.event_id = told
    );
end;
$$;

revoke execute on function mailpipe_api.test_webhook(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.test_webhook(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.test_webhook(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
