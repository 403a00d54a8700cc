-- What: stores an arrived mail: one message for each mailbox it reached, threaded and announced.
-- Why: each mailbox reads, labels and files its own copy; mail to no mailbox is kept as well.
-- Locks: none on existing objects.

create function mailpipe.insert_inbound(
    p_request mailpipe.inbound_requests,
    p_mail jsonb,
    p_mailbox mailpipe.mailboxes
)
returns mailpipe.messages
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    sender constant text := coalesce(p_mail -> 'from' ->> 'email', p_mail ->> 'envelope_from', '');
    made mailpipe.messages;
begin
    insert into mailpipe.messages (
        organization_id, environment, direction, status, thread_id, mailbox_id, provider_id, from_email, from_name,
        reply_to, subject, snippet, text_body, html_body, headers, message_id_header, in_reply_to, reference_ids,
        raw_key, size_bytes, defects
    )
    values (
        p_request.organization_id, p_request.environment, 'inbound', 'received',
        mailpipe.join_thread(
            mailpipe.find_thread(
                p_request.organization_id, p_request.environment,
                array(select jsonb_array_elements_text(p_mail -> 'cited')), p_mail ->> 'subject', sender
            ),
            p_request.organization_id, p_request.environment, p_mail ->> 'subject',
            array[lower(sender)] || array(
                select distinct lower(party ->> 'email')
                from jsonb_array_elements((p_mail -> 'to') || (p_mail -> 'cc')) as party
                limit 50
            )
        ),
        p_mailbox.id, p_request.provider_id, sender, p_mail -> 'from' ->> 'name', p_mail -> 'reply_to',
        p_mail ->> 'subject', p_mail ->> 'snippet', p_mail ->> 'text', p_mail ->> 'html', p_mail -> 'headers',
        p_mail ->> 'message_id', p_mail ->> 'in_reply_to',
        array(select jsonb_array_elements_text(p_mail -> 'references')),
        p_mail ->> 'raw_key', (p_mail ->> 'size_bytes')::bigint,
        array(select jsonb_array_elements_text(p_mail -> 'defects'))
    )
    returning *
    into made;
    return made;
end;
$$;

revoke execute on function mailpipe.insert_inbound(mailpipe.inbound_requests, jsonb, mailpipe.mailboxes) from public, anon, authenticated;
grant execute on function mailpipe.insert_inbound(mailpipe.inbound_requests, jsonb, mailpipe.mailboxes) to mailpipe_worker;

create function mailpipe.announce_received(
    p_message mailpipe.messages,
    p_mailbox mailpipe.mailboxes,
    p_has_attachments boolean
)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.emit_event(
        p_message.organization_id, p_message.environment, 'email.received', p_message.id,
        -- The nine fields Mailpipe documents, no more and no less.
        jsonb_build_object(
            'message_id', p_message.id,
            'mailbox_id', p_mailbox.id,
            'mailbox_email', p_mailbox.address,
            'from', mailpipe.show_address(p_message.from_email, p_message.from_name),
            'to', mailpipe.show_recipients(p_message, 'to'),
            'subject', p_message.subject,
            'snippet', p_message.snippet,
            'has_attachments', p_has_attachments,
            'received_at', mailpipe.rfc3339(p_message.created_at)
        ),
        coalesce(p_mailbox.forward_to_webhook, true)
    );
$$;

revoke execute on function mailpipe.announce_received(mailpipe.messages, mailpipe.mailboxes, boolean) from public, anon, authenticated;
grant execute on function mailpipe.announce_received(mailpipe.messages, mailpipe.mailboxes, boolean) to mailpipe_worker;

-- Matched by the envelope; a provider that gives none is matched by To and Cc.
create function mailpipe.store_mail(p_request mailpipe.inbound_requests, p_mail jsonb)
returns setof text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    has_attachments constant boolean := jsonb_array_length(p_mail -> 'attachments') > 0;
    reached mailpipe.mailboxes;
    made mailpipe.messages;
begin
    for reached in
        select mailbox.*
        from mailpipe.mailboxes as mailbox
        where mailbox.organization_id = p_request.organization_id
            and mailbox.environment = p_request.environment
            and mailbox.address in (
                select lower(envelope.recipient)
                from jsonb_array_elements_text(p_mail -> 'delivered_to') as envelope (recipient)
            )
        order by mailbox.created_at, mailbox.id
    loop
        made := mailpipe.insert_inbound(p_request, p_mail, reached);
        perform mailpipe.insert_parties(made, p_mail, 'received');
        perform mailpipe.announce_received(made, reached, has_attachments);
        return next made.id;
    end loop;

    if made.id is null then
        made := mailpipe.insert_inbound(p_request, p_mail, null);
        perform mailpipe.insert_parties(made, p_mail, 'received');
        perform mailpipe.announce_received(made, null, has_attachments);
        return next made.id;
    end if;
end;
$$;

revoke execute on function mailpipe.store_mail(mailpipe.inbound_requests, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.store_mail(mailpipe.inbound_requests, jsonb) to mailpipe_worker;
