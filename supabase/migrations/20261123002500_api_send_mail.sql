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
    for share;

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

create function mailpipe_api.authorize_send(p_caller jsonb, p_provider_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:send');
begin
    perform mailpipe.choose_provider(me, p_provider_id);
    return jsonb_build_object('organization_id', me.organization_id, 'environment', me.environment);
end;
$$;

revoke execute on function mailpipe_api.authorize_send(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.authorize_send(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.authorize_send(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- Null when this call is the first with its key; the remembered answer when it is a repeat.
-- A concurrent first call holds the row, so a repeat waits here until that has committed or is gone.
create function mailpipe.claim_idempotency_key(p_me mailpipe.caller, p_key text, p_request jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    print constant bytea := sha256(convert_to(p_request::text, 'UTF8'));
    expiry constant timestamptz := mailpipe.clock() + interval '24 hours';
    known mailpipe.idempotency_records;
begin
    insert into mailpipe.idempotency_records as record (organization_id, environment, key, fingerprint, expires_at)
    values (p_me.organization_id, p_me.environment, p_key, print, expiry)
    on conflict on constraint idempotency_records_pkey do update
    set
        fingerprint = excluded.fingerprint,
        answer = null,
        expires_at = excluded.expires_at
    where record.expires_at <= mailpipe.clock();
    if found then
        return null;
    end if;

    select record.*
    into known
    from mailpipe.idempotency_records as record
    where record.key = p_key;

    if known.fingerprint <> print then
        raise sqlstate 'PT409' using message = 'idempotency_key_reused';
    end if;
    return known.answer;
end;
$$;

revoke execute on function mailpipe.claim_idempotency_key(mailpipe.caller, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.claim_idempotency_key(mailpipe.caller, text, jsonb) to mailpipe_tenant;

create function mailpipe.insert_outbound(p_me mailpipe.caller, p_request jsonb, p_provider_id text)
returns mailpipe.messages
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    new_id constant text := mailpipe.new_id('msg');
    sender constant text := p_request -> 'from' ->> 'email';
    made mailpipe.messages;
begin
    insert into mailpipe.messages (
        id, organization_id, environment, direction, status, thread_id, provider_id, api_key_id, from_email,
        from_name, reply_to, subject, snippet, text_body, html_body, headers, tags, metadata, message_id_header
    )
    values (
        new_id, p_me.organization_id, p_me.environment, 'outbound', 'queued',
        mailpipe.join_thread(
            null, p_me.organization_id, p_me.environment, p_request ->> 'subject',
            array[lower(sender)] || array(
                select distinct lower(party ->> 'email')
                from jsonb_array_elements((p_request -> 'to') || (p_request -> 'cc')) as party
            )
        ),
        p_provider_id,
        case when p_me.kind = 'key' then p_me.id end,
        sender,
        p_request -> 'from' ->> 'name',
        p_request -> 'reply_to',
        p_request ->> 'subject',
        p_request ->> 'snippet',
        p_request ->> 'text',
        p_request ->> 'html',
        p_request -> 'headers',
        array(select jsonb_array_elements_text(p_request -> 'tags')),
        p_request -> 'metadata',
        concat(lower(new_id), '@', split_part(sender, '@', -1))
    )
    returning *
    into made;
    return made;
end;
$$;

revoke execute on function mailpipe.insert_outbound(mailpipe.caller, jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe.insert_outbound(mailpipe.caller, jsonb, text) to mailpipe_tenant;

create function mailpipe.insert_parties(p_message mailpipe.messages, p_request jsonb, p_status text)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    insert into mailpipe.recipients (organization_id, environment, message_id, position, kind, email, name, status)
    select
        p_message.organization_id, p_message.environment, p_message.id,
        row_number() over (order by kinds.rank, party.place)::int - 1,
        kinds.kind, party.address ->> 'email', party.address ->> 'name', p_status
    from (values (1, 'to'), (2, 'cc'), (3, 'bcc')) as kinds (rank, kind)
    cross join lateral jsonb_array_elements(p_request -> kinds.kind) with ordinality as party (address, place);

    insert into mailpipe.attachments (
        organization_id, environment, message_id, position, filename, content_type, content_id, size_bytes,
        sha256, storage_key
    )
    select
        p_message.organization_id, p_message.environment, p_message.id, file.place - 1,
        file.facts ->> 'filename', file.facts ->> 'content_type', file.facts ->> 'content_id',
        (file.facts ->> 'size_bytes')::bigint, file.facts ->> 'sha256',
        concat(p_message.organization_id, '/', p_message.environment, '/', file.facts ->> 'sha256')
    from jsonb_array_elements(p_request -> 'attachments') with ordinality as file (facts, place);
$$;

revoke execute on function mailpipe.insert_parties(mailpipe.messages, jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe.insert_parties(mailpipe.messages, jsonb, text) to mailpipe_tenant, mailpipe_worker;

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
    if p_idempotency_key is not null then
        reply := mailpipe.claim_idempotency_key(me, p_idempotency_key, p_request);
        if reply is not null then
            return reply || '{"replayed": true}';
        end if;
    end if;

    made := mailpipe.insert_outbound(me, p_request, mailpipe.choose_provider(me, p_request ->> 'provider_id'));
    perform mailpipe.insert_parties(made, p_request, 'queued');

    insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
    values (made.organization_id, made.environment, 'deliver_message', made.id);

    perform mailpipe.emit_event(
        made.organization_id, made.environment, 'email.queued', made.id,
        mailpipe.message_facts(made, array(
            select recipient.email
            from mailpipe.recipients as recipient
            where recipient.message_id = made.id
            order by recipient.position
        )),
        true
    );

    reply := jsonb_build_object(
        'id', made.id,
        'status', made.status,
        'thread_id', made.thread_id,
        'created_at', mailpipe.rfc3339(made.created_at)
    );
    update mailpipe.idempotency_records as record
    set answer = reply
    where record.key = p_idempotency_key;
    return reply || '{"replayed": false}';
end;
$$;

revoke execute on function mailpipe_api.send_mail(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.send_mail(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.send_mail(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
