-- What: recipient ranks, the common status of a message, thread matching, and addresses as text.
-- Why: events arrive late and out of order; none may lower what is already known.
-- Locks: none on existing objects.

create function mailpipe.recipient_rank(p_status text)
returns int
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case p_status
        when 'queued' then 0
        when 'sending' then 1
        when 'unknown' then 2
        when 'sent' then 3
        when 'deferred' then 4
        when 'failed' then 5
        when 'delivered' then 6
        when 'bounced' then 7
        when 'complained' then 8
        -- suppressed, cancelled and received are final.
        else 100
    end;
$$;

revoke execute on function mailpipe.recipient_rank(text) from public, anon, authenticated;
grant execute on function mailpipe.recipient_rank(text) to mailpipe_tenant, mailpipe_worker;

create function mailpipe.refresh_message_status(p_message_id text)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    update mailpipe.messages as message
    set status = states.common
    from (
        select case when count(distinct recipient.status) = 1 then min(recipient.status) else 'mixed' end as common
        from mailpipe.recipients as recipient
        join mailpipe.messages as owner_message
            on owner_message.organization_id = recipient.organization_id
            and owner_message.environment = recipient.environment
            and owner_message.id = recipient.message_id
        where owner_message.id = p_message_id
    ) as states
    where message.id = p_message_id
        and message.status <> states.common;
$$;

revoke execute on function mailpipe.refresh_message_status(text) from public, anon, authenticated;
grant execute on function mailpipe.refresh_message_status(text) to mailpipe_tenant, mailpipe_worker;

-- Raises recipients to p_status where that ranks higher, and returns the addresses that changed.
-- Without p_email it concerns every recipient.
create function mailpipe.raise_recipients(
    p_message mailpipe.messages,
    p_email text,
    p_status text,
    p_reason text
)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    changed text[];
begin
    with raised as (
        update mailpipe.recipients as recipient
        set
            status = p_status,
            reason = left(p_reason, 500),
            updated_at = mailpipe.clock()
        where recipient.organization_id = p_message.organization_id
            and recipient.environment = p_message.environment
            and recipient.message_id = p_message.id
            and (p_email is null or lower(recipient.email) = lower(p_email))
            and mailpipe.recipient_rank(recipient.status) < mailpipe.recipient_rank(p_status)
        returning recipient.email, recipient.position
    )
    select coalesce(array_agg(raised.email order by raised.position), '{}')
    into changed
    from raised;

    perform mailpipe.refresh_message_status(p_message.id);
    return changed;
end;
$$;

revoke execute on function mailpipe.raise_recipients(mailpipe.messages, text, text, text) from public, anon, authenticated;
grant execute on function mailpipe.raise_recipients(mailpipe.messages, text, text, text) to mailpipe_worker;

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
