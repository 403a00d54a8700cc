-- What: finish_message: writes a provider's verdict, for deliver-mail.
-- Why: a verdict counts only while its claim holds; a late one from a lost lease changes nothing.
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

-- p_result is a verdict of shared/providers/contract.ts with retry_in_seconds (null: no further try).
create function mailpipe_api.finish_message(p_caller jsonb, p_job_id text, p_fence bigint, p_result jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    verdict constant text := p_result ->> 'outcome';
    reason constant text := p_result ->> 'reason';
    retry_in constant interval := make_interval(secs => (p_result ->> 'retry_in_seconds')::double precision);
    target mailpipe.messages;
begin
    if not mailpipe.finish_job(p_job_id, p_fence, retry_in) then
        return '{"accepted": false}';
    end if;

    update mailpipe.attempts as attempt
    set
        outcome = verdict,
        status_code = (p_result ->> 'status')::int,
        duration_ms = (p_result ->> 'duration_ms')::int,
        detail = left(coalesce(reason, p_result ->> 'response'), 1000),
        finished_at = mailpipe.clock()
    where attempt.job_id = p_job_id
        and attempt.fence = p_fence;

    select message.*
    into target
    from mailpipe.messages as message
    join mailpipe.attempts as attempt on attempt.message_id = message.id
    where attempt.job_id = p_job_id
        and attempt.fence = p_fence;

    case
        when verdict = 'sent' then
            perform mailpipe.record_acceptance(target, p_result);
        when verdict = 'retry' and retry_in is not null then
            perform mailpipe.requeue_recipients(target, reason);
        when verdict = 'unknown' and retry_in is not null then
            -- The provider keeps one acceptance per key, so it is asked again: still sending.
            perform mailpipe.refresh_message_status(target.id);
        when verdict = 'unknown' then
            perform mailpipe.tell(
                target, 'email.unknown', mailpipe.raise_recipients(target, null, 'unknown', reason),
                jsonb_build_object('reason', reason)
            );
        else
            perform mailpipe.tell(
                target, 'email.failed', mailpipe.raise_recipients(target, null, 'failed', reason),
                jsonb_build_object('reason', reason)
            );
    end case;
    return '{"accepted": true}';
end;
$$;

revoke execute on function mailpipe_api.finish_message(jsonb, text, bigint, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_message(jsonb, text, bigint, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_message(jsonb, text, bigint, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
