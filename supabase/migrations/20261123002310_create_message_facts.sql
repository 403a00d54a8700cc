-- What: addresses as text, and the facts every email event carries.
-- Why: an event tells the same of a message wherever it is raised.
-- Locks: none on existing objects.

-- RFC 5322 display form: a name with specials is quoted.
create function mailpipe.show_address(p_email text, p_name text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_name is null or p_name = '' then p_email
        when p_name ~ '[][()<>:;@\\,."]'
        then concat('"', regexp_replace(p_name, '(["\\])', '\\\1', 'g'), '" <', p_email, '>')
        else concat(p_name, ' <', p_email, '>')
    end;
$$;

revoke execute on function mailpipe.show_address(text, text) from public, anon, authenticated;
grant execute on function mailpipe.show_address(text, text) to mailpipe_tenant, mailpipe_worker;

create function mailpipe.show_recipients(p_message mailpipe.messages, p_kind text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(mailpipe.show_address(recipient.email, recipient.name) order by recipient.position),
        '[]'
    )
    from mailpipe.recipients as recipient
    where recipient.organization_id = p_message.organization_id
        and recipient.environment = p_message.environment
        and recipient.message_id = p_message.id
        and recipient.kind = p_kind;
$$;

revoke execute on function mailpipe.show_recipients(mailpipe.messages, text) from public, anon, authenticated;
grant execute on function mailpipe.show_recipients(mailpipe.messages, text) to mailpipe_tenant, mailpipe_worker;

-- The facts every email.* event of a sent message carries.
create function mailpipe.message_facts(p_message mailpipe.messages, p_recipients text[])
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'message_id', p_message.id,
        'thread_id', p_message.thread_id,
        'from', mailpipe.show_address(p_message.from_email, p_message.from_name),
        'to', mailpipe.show_recipients(p_message, 'to'),
        'subject', p_message.subject,
        'recipients', to_jsonb(p_recipients),
        'tags', to_jsonb(p_message.tags),
        'metadata', p_message.metadata
    );
$$;

revoke execute on function mailpipe.message_facts(mailpipe.messages, text[]) from public, anon, authenticated;
grant execute on function mailpipe.message_facts(mailpipe.messages, text[]) to mailpipe_tenant, mailpipe_worker;
