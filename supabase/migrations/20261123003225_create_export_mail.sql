-- What: an organization's mail and files as an export takes them.
-- Why: the mail as mbox, raw where we have it; files as they lie in the bucket, by reference.
-- Locks: none on existing objects.

create function mailpipe.exported_party(p_message mailpipe.messages, p_kind text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('email', recipient.email, 'name', recipient.name)
            order by recipient.position
        ),
        '[]'
    )
    from mailpipe.recipients as recipient
    where recipient.organization_id = p_message.organization_id
        and recipient.environment = p_message.environment
        and recipient.message_id = p_message.id
        and recipient.kind = p_kind;
$$;

revoke execute on function mailpipe.exported_party(mailpipe.messages, text) from public, anon, authenticated;
grant execute on function mailpipe.exported_party(mailpipe.messages, text) to mailpipe_worker;

create function mailpipe.exported_message(p_message mailpipe.messages)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.outgoing_message(p_message) || jsonb_build_object(
        'to', mailpipe.exported_party(p_message, 'to'),
        'cc', mailpipe.exported_party(p_message, 'cc'),
        'bcc', mailpipe.exported_party(p_message, 'bcc'),
        'raw_key', case when mailpipe.is_stored(p_message.raw_key) then p_message.raw_key end,
        'attachments', (
            select coalesce(jsonb_agg(file order by place), '[]')
            from jsonb_array_elements(mailpipe.message_attachments(p_message)) with ordinality as each (file, place)
            where mailpipe.is_stored(file ->> 'storage_key')
        )
    );
$$;

revoke execute on function mailpipe.exported_message(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.exported_message(mailpipe.messages) to mailpipe_worker;

-- What a message weighs, in bytes, as far as rows tell.
create function mailpipe.mail_size(p_message mailpipe.messages)
returns bigint
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(p_message.size_bytes, 0)
        + coalesce(length(p_message.text_body), 0)
        + coalesce(length(p_message.html_body), 0)
        + case
            when p_message.raw_key is null then coalesce((
                select sum(attachment.size_bytes)
                from mailpipe.attachments as attachment
                where attachment.organization_id = p_message.organization_id
                    and attachment.environment = p_message.environment
                    and attachment.message_id = p_message.id
            ), 0)
            else 0
        end;
$$;

revoke execute on function mailpipe.mail_size(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.mail_size(mailpipe.messages) to mailpipe_worker;

-- Up to 200 messages, and no further one once 2 MiB are reached; where to go on, if there is more.
create function mailpipe.export_mail(p_organization_id text, p_after jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    taken jsonb[] := '{}';
    size bigint := 0;
    after jsonb;
    message mailpipe.messages;
    rows cursor for
        select held.*
        from mailpipe.messages as held
        where held.organization_id = p_organization_id
            and (held.environment, held.id) > (coalesce(p_after ->> 'environment', ''), coalesce(p_after ->> 'id', ''))
        order by held.environment, held.id
        limit 201;
begin
    open rows;
    loop
        fetch rows into message;
        exit when not found;
        if cardinality(taken) = 200 or size > 2 * 1024 * 1024 then
            return jsonb_build_object('messages', to_jsonb(taken), 'after', after);
        end if;
        taken := taken || mailpipe.exported_message(message);
        size := size + mailpipe.mail_size(message);
        after := jsonb_build_object('environment', message.environment, 'id', message.id);
    end loop;
    return jsonb_build_object('messages', to_jsonb(taken), 'after', null);
end;
$$;

revoke execute on function mailpipe.export_mail(text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.export_mail(text, jsonb) to mailpipe_worker;
