-- What: authorize_send and send_mail.
-- Why: message, recipients, job, event and idempotency record are one transaction: all of it or nothing.
-- Locks: none on existing objects.

-- The account a message goes out through; test mail has none and goes to the sandbox.
create function mailpipe.choose_provider(p_me mailpipe.caller, p_provider_id text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    chosen text;
begin
    if p_me.environment = 'test' and p_provider_id is null then
        return null;
    end if;

    -- The lock makes a removal wait for the message, or the message for the removal.
    select provider.id
    into chosen
    from mailpipe.providers as provider
    where provider.removed_at is null
        and (provider.id = p_provider_id or (p_provider_id is null and provider.is_default))
    for key share;

    if chosen is null and p_provider_id is not null then
        raise sqlstate 'PT422' using
            message = 'invalid_request',
            detail = 'provider_id: no provider of this environment has this id';
    end if;
    if chosen is null then
        raise sqlstate 'PT422' using message = 'no_provider';
    end if;
    return chosen;
end;
$$;

revoke execute on function mailpipe.choose_provider(mailpipe.caller, text) from public, anon, authenticated;
grant execute on function mailpipe.choose_provider(mailpipe.caller, text) to mailpipe_tenant;

-- p_request is the message without its content: from, to, cc, bcc, provider_id.
create function mailpipe_api.authorize_send(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:send');
begin
    perform mailpipe.assert_sender(me, p_request);
    perform mailpipe.choose_provider(me, p_request ->> 'provider_id');
    return jsonb_build_object('organization_id', me.organization_id, 'environment', me.environment);
end;
$$;

revoke execute on function mailpipe_api.authorize_send(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.authorize_send(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.authorize_send(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.send_mail(p_caller jsonb, p_idempotency_key text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:send');
    reply jsonb;
    made mailpipe.messages;
begin
    perform mailpipe.assert_sender(me, p_request);
    if p_idempotency_key is not null then
        reply := mailpipe.claim_idempotency_key(me, p_idempotency_key, p_request);
        if reply is not null then
            return reply || '{"replayed": true}';
        end if;
    end if;

    perform mailpipe.take_for_organization(1);
    made := mailpipe.queue_mail(me, p_request, mailpipe.choose_provider(me, p_request ->> 'provider_id'));
    reply := jsonb_build_object(
        'id', made.id,
        'status', made.status,
        'thread_id', made.thread_id,
        'created_at', mailpipe.rfc3339(made.created_at)
    );
    if p_idempotency_key is not null then
        update mailpipe.idempotency_records as record
        set answer = reply
        where record.key = mailpipe.idempotency_name(p_idempotency_key);
    end if;
    return reply || '{"replayed": false}';
end;
$$;

revoke execute on function mailpipe_api.send_mail(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.send_mail(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.send_mail(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
