-- What: what a provider's event does to a message, and events that came before their message.
-- Why: an event changes only messages sent through the same connection, and never lowers a state.
-- Locks: none on existing objects.

create function mailpipe.learn_message_id(p_message_id text, p_rewritten text)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    update mailpipe.messages
    set rewritten_message_id = btrim(p_rewritten, '<> ')
    where id = p_message_id
        and p_rewritten is not null;
$$;

revoke execute on function mailpipe.learn_message_id(text, text) from public, anon, authenticated;
grant execute on function mailpipe.learn_message_id(text, text) to mailpipe_worker;

create function mailpipe.apply_event(p_message mailpipe.messages, p_event jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    type constant text := p_event ->> 'type';
    recipient constant text := p_event ->> 'recipient';
    concerned text[];
begin
    perform mailpipe.learn_message_id(p_message.id, p_event -> 'detail' ->> 'message_id');
    -- Opens and clicks are told, and change no state.
    if type in ('opened', 'clicked') then
        concerned := case when recipient is null then '{}' else array[recipient] end;
    elsif recipient is null and cardinality(array(
        select party.email
        from mailpipe.recipients as party
        where party.organization_id = p_message.organization_id
            and party.environment = p_message.environment
            and party.message_id = p_message.id
    )) > 1 then
        -- The provider does not say whom of several it means: recorded on the message, no state guessed.
        concerned := '{}';
    else
        concerned := mailpipe.raise_recipients(p_message, recipient, type, p_event -> 'detail' ->> 'reason');
    end if;

    perform mailpipe.emit_event(
        p_message.organization_id, p_message.environment, 'email.' || type, p_message.id,
        mailpipe.message_facts(p_message, concerned) || jsonb_build_object(
            'occurred_at', p_event ->> 'occurred_at',
            'detail', p_event -> 'detail'
        ),
        true
    );
end;
$$;

revoke execute on function mailpipe.apply_event(mailpipe.messages, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.apply_event(mailpipe.messages, jsonb) to mailpipe_worker;

-- Returns the message the event is about; null while we do not know it.
create function mailpipe.apply_or_keep_event(p_request mailpipe.inbound_requests, p_event jsonb)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    target mailpipe.messages;
begin
    select message.*
    into target
    from mailpipe.messages as message
    where message.organization_id = p_request.organization_id
        and message.environment = p_request.environment
        and message.provider_id = p_request.provider_id
        and message.provider_message_id = p_event ->> 'provider_message_id'
    for update;

    if target.id is not null then
        perform mailpipe.apply_event(target, p_event);
        return target.id;
    end if;
    insert into mailpipe.early_events (
        organization_id, environment, provider_id, provider_message_id, request_id, event
    )
    values (
        p_request.organization_id, p_request.environment, p_request.provider_id,
        p_event ->> 'provider_message_id', p_request.id, p_event
    );
    return null;
end;
$$;

revoke execute on function mailpipe.apply_or_keep_event(mailpipe.inbound_requests, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.apply_or_keep_event(mailpipe.inbound_requests, jsonb) to mailpipe_worker;

create function mailpipe.join_early_events(p_message mailpipe.messages, p_provider_message_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    early record;
begin
    for early in
        with joined as (
            delete from mailpipe.early_events
            where organization_id = p_message.organization_id
                and environment = p_message.environment
                and provider_id = p_message.provider_id
                and provider_message_id = p_provider_message_id
            returning id, event, request_id
        )
        select joined.event, joined.request_id
        from joined
        order by joined.id
    loop
        perform mailpipe.apply_event(p_message, early.event);
        update mailpipe.inbound_requests
        set message_ids = message_ids || p_message.id
        where id = early.request_id;
    end loop;
end;
$$;

revoke execute on function mailpipe.join_early_events(mailpipe.messages, text) from public, anon, authenticated;
grant execute on function mailpipe.join_early_events(mailpipe.messages, text) to mailpipe_worker;
