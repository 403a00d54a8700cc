-- What: get_verdict: what became of a message whose sender waits for it.
-- Why: a key that may send may learn the outcome without being able to read mail.
-- Locks: none on existing objects.

-- Of the pinned tenant's message, whatever mailboxes a key is fenced to: a repeat under one idempotency key may have
-- been sent by another key. Who asks was given the id by send_mail.
create function mailpipe.verdict_of(p_id text)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'status', message.status,
        'reason', (
            select min(recipient.reason)
            from mailpipe.recipients as recipient
            where recipient.organization_id = message.organization_id
                and recipient.environment = message.environment
                and recipient.message_id = message.id
                and recipient.status in ('failed', 'unknown')
        )
    )
    from mailpipe.messages as message
    where message.id = p_id
        and message.organization_id = current_setting('mailpipe.organization_id', true)
        and message.environment = current_setting('mailpipe.environment', true)
        and message.direction = 'outbound';
$$;

revoke execute on function mailpipe.verdict_of(text) from public, anon, authenticated;
grant execute on function mailpipe.verdict_of(text) to mailpipe_tenant;

create function mailpipe_api.get_verdict(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:send');
    verdict constant jsonb := mailpipe.verdict_of(p_id);
begin
    if verdict is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'message';
    end if;
    return verdict;
end;
$$;

revoke execute on function mailpipe_api.get_verdict(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_verdict(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_verdict(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
