-- What: what a provider's verdict does to a message and its recipients.
-- Why: each recipient ends in the state its own address deserves, and an event says so.
-- Locks: none on existing objects.

create function mailpipe.tell(
    p_message mailpipe.messages,
    p_type text,
    p_recipients text[],
    p_extra jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if cardinality(p_recipients) = 0 then
        return;
    end if;
    perform mailpipe.emit_event(
        p_message.organization_id, p_message.environment, p_type, p_message.id,
        mailpipe.message_facts(p_message, p_recipients) || p_extra,
        true
    );
end;
$$;

revoke execute on function mailpipe.tell(mailpipe.messages, text, text[], jsonb) from public, anon, authenticated;
grant execute on function mailpipe.tell(mailpipe.messages, text, text[], jsonb) to mailpipe_worker;

create function mailpipe.record_acceptance(p_message mailpipe.messages, p_result jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    refused jsonb;
    accepted text[];
begin
    update mailpipe.messages
    set
        provider_message_id = p_result ->> 'provider_message_id',
        sent_at = mailpipe.clock()
    where id = p_message.id;

    for refused in select jsonb_array_elements(p_result -> 'refused') loop
        perform mailpipe.tell(
            p_message, 'email.failed',
            mailpipe.raise_recipients(p_message, refused ->> 'address', 'failed', refused ->> 'reason'),
            jsonb_build_object('reason', refused ->> 'reason')
        );
    end loop;

    accepted := mailpipe.raise_recipients(p_message, null, 'sent', p_result ->> 'response');
    perform mailpipe.tell(p_message, 'email.sent', accepted, '{}');
    if (p_result ->> 'delivered')::boolean then
        perform mailpipe.tell(
            p_message, 'email.delivered',
            mailpipe.raise_recipients(p_message, null, 'delivered', p_result ->> 'response'),
            '{}'
        );
    end if;
    perform mailpipe.join_early_events(p_message, p_result ->> 'provider_message_id');
end;
$$;

revoke execute on function mailpipe.record_acceptance(mailpipe.messages, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.record_acceptance(mailpipe.messages, jsonb) to mailpipe_worker;

-- Back to the queue: nothing was accepted, so nothing is lowered that an event has told us.
create function mailpipe.requeue_recipients(p_message mailpipe.messages, p_reason text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.recipients
    set
        status = 'queued',
        reason = left(p_reason, 500),
        updated_at = mailpipe.clock()
    where organization_id = p_message.organization_id
        and environment = p_message.environment
        and message_id = p_message.id
        and status = 'sending';
    perform mailpipe.refresh_message_status(p_message.id);
end;
$$;

revoke execute on function mailpipe.requeue_recipients(mailpipe.messages, text) from public, anon, authenticated;
grant execute on function mailpipe.requeue_recipients(mailpipe.messages, text) to mailpipe_worker;
