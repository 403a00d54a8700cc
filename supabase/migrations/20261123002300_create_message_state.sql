-- What: recipient ranks and the common status of a message.
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
grant execute on function mailpipe.recipient_rank(text) to mailpipe_worker;

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
grant execute on function mailpipe.refresh_message_status(text) to mailpipe_worker;

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
