-- What: insert_outbound, insert_parties and queue_mail.
-- Why: a message is stored with its thread, recipients and attachments, or not at all.
-- Locks: none on existing objects.

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

-- A message with its recipients, its job and its first event: all that makes it one that will be sent.
create function mailpipe.queue_mail(p_me mailpipe.caller, p_request jsonb, p_provider_id text)
returns mailpipe.messages
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    made mailpipe.messages := mailpipe.insert_outbound(p_me, p_request, p_provider_id);
begin
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
    return made;
end;
$$;

revoke execute on function mailpipe.queue_mail(mailpipe.caller, jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe.queue_mail(mailpipe.caller, jsonb, text) to mailpipe_tenant;
