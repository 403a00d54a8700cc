-- What: list_messages and get_message.
-- Why: what was sent and received, newest first, and everything known of one message.
-- Locks: none on existing objects.

create function mailpipe.show_message(p_message mailpipe.messages)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_message.id,
        'direction', p_message.direction,
        'status', p_message.status,
        'environment', p_message.environment,
        'thread_id', p_message.thread_id,
        'mailbox_id', p_message.mailbox_id,
        'provider_id', p_message.provider_id,
        'from', mailpipe.show_address(p_message.from_email, p_message.from_name),
        'to', mailpipe.show_recipients(p_message, 'to'),
        'subject', p_message.subject,
        'snippet', p_message.snippet,
        'tags', p_message.tags,
        'labels', p_message.labels,
        'read', p_message.is_read,
        'starred', p_message.is_starred,
        'has_attachments', exists (
            select
            from mailpipe.attachments as attachment
            where attachment.organization_id = p_message.organization_id
                and attachment.environment = p_message.environment
                and attachment.message_id = p_message.id
        ),
        'sent_at', mailpipe.rfc3339(p_message.sent_at),
        'created_at', mailpipe.rfc3339(p_message.created_at)
    );
$$;

revoke execute on function mailpipe.show_message(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.show_message(mailpipe.messages) to mailpipe_tenant;

create function mailpipe_api.list_messages(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:read');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
    since timestamptz := (p_request ->> 'since')::timestamptz;
    until timestamptz := (p_request ->> 'until')::timestamptz;
begin
    return mailpipe.page(
        (
            select coalesce(
                jsonb_agg(mailpipe.show_message(listed) order by listed.created_at desc, listed.id desc),
                '[]'
            )
            from (
                select message.*
                from mailpipe.messages as message
                where (place.id = '' or (message.created_at, message.id) < (place.at, place.id))
                    and (p_request ->> 'direction' is null or message.direction = p_request ->> 'direction')
                    and (p_request ->> 'status' is null or message.status = p_request ->> 'status')
                    and (p_request ->> 'mailbox_id' is null or message.mailbox_id = p_request ->> 'mailbox_id')
                    and (p_request ->> 'thread_id' is null or message.thread_id = p_request ->> 'thread_id')
                    and (p_request ->> 'from' is null or lower(message.from_email) = lower(p_request ->> 'from'))
                    and (p_request ->> 'tag' is null or message.tags @> array[p_request ->> 'tag'])
                    and (p_request -> 'read' is null or message.is_read = (p_request ->> 'read')::boolean)
                    and (since is null or message.created_at >= since)
                    and (until is null or message.created_at < until)
                order by message.created_at desc, message.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_messages(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_messages(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_messages(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.get_message(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:read');
    target mailpipe.messages;
begin
    select message.*
    into target
    from mailpipe.messages as message
    where message.id = p_id;

    if target.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'message';
    end if;
    return mailpipe.show_message(target) || jsonb_build_object(
        'cc', mailpipe.show_recipients(target, 'cc'),
        'bcc', mailpipe.show_recipients(target, 'bcc'),
        'reply_to', target.reply_to,
        'text', target.text_body,
        'html', target.html_body,
        'headers', target.headers,
        'metadata', target.metadata,
        'message_id', target.message_id_header,
        'in_reply_to', target.in_reply_to,
        'defects', target.defects,
        'raw_key', target.raw_key,
        'recipients', mailpipe.message_recipients(target),
        'attachments', mailpipe.message_attachments(target),
        'events', mailpipe.message_events(target)
    );
end;
$$;

revoke execute on function mailpipe_api.get_message(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_message(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_message(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
