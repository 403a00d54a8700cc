-- What: get_verdict: what became of a message whose sender waits for it.
-- Why: a key that may send may learn the outcome without being able to read mail.
-- Locks: none on existing objects.

create function mailpipe_api.get_verdict(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mail:send');
    verdict jsonb;
begin
    select jsonb_build_object(
        'status', message.status,
        'reason', (
            select min(recipient.reason)
            from mailpipe.recipients as recipient
            where recipient.message_id = message.id
                and recipient.status in ('failed', 'unknown')
        )
    )
    into verdict
    from mailpipe.messages as message
    where message.id = p_id
        and message.direction = 'outbound';

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
