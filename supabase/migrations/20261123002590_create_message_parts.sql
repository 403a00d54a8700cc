-- What: recipients, events and attachments of a message as JSON.
-- Why: what GET messages/<id> shows beside the message itself.
-- Locks: none on existing objects.

create function mailpipe.message_recipients(p_message mailpipe.messages)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'address', recipient.email,
                'name', recipient.name,
                'kind', recipient.kind,
                'status', recipient.status,
                'reason', recipient.reason,
                'updated_at', mailpipe.rfc3339(recipient.updated_at)
            )
            order by recipient.position
        ),
        '[]'
    )
    from mailpipe.recipients as recipient
    where recipient.organization_id = p_message.organization_id
        and recipient.environment = p_message.environment
        and recipient.message_id = p_message.id;
$$;

revoke execute on function mailpipe.message_recipients(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.message_recipients(mailpipe.messages) to mailpipe_tenant;

create function mailpipe.message_events(p_message mailpipe.messages)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'id', event.id,
                'type', event.type,
                'created_at', mailpipe.rfc3339(event.created_at),
                'data', event.data
            )
            order by event.position
        ),
        '[]'
    )
    from mailpipe.events as event
    where event.organization_id = p_message.organization_id
        and event.environment = p_message.environment
        and event.message_id = p_message.id;
$$;

revoke execute on function mailpipe.message_events(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.message_events(mailpipe.messages) to mailpipe_tenant;

create function mailpipe.message_attachments(p_message mailpipe.messages)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object(
                'id', attachment.id,
                'filename', attachment.filename,
                'content_type', attachment.content_type,
                'content_id', attachment.content_id,
                'size_bytes', attachment.size_bytes,
                'sha256', attachment.sha256,
                'storage_key', attachment.storage_key
            )
            order by attachment.position
        ),
        '[]'
    )
    from mailpipe.attachments as attachment
    where attachment.organization_id = p_message.organization_id
        and attachment.environment = p_message.environment
        and attachment.message_id = p_message.id;
$$;

revoke execute on function mailpipe.message_attachments(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.message_attachments(mailpipe.messages) to mailpipe_tenant, mailpipe_worker;
