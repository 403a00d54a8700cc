-- What: begin_attempt, called by deliver-mail right before it hands a message to a provider.
-- Why: from this row on a crash means "unknown"; before it, nothing was sent and the message is tried again.
-- Locks: none on existing objects.

create function mailpipe_api.begin_attempt(p_caller jsonb, p_job_id text, p_fence bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    held mailpipe.jobs;
begin
    -- The lease starts anew: a message that waited its turn behind large ones has its whole time.
    update mailpipe.jobs
    set
        lease_until = mailpipe.clock() + interval '120 seconds',
        due_at = mailpipe.clock() + interval '120 seconds'
    where id = p_job_id
        and fence = p_fence
    returning *
    into held;

    if held.id is null then
        return '{"begun": false}';
    end if;

    insert into mailpipe.attempts (organization_id, environment, job_id, fence, message_id, provider_id)
    select held.organization_id, held.environment, held.id, held.fence, message.id, message.provider_id
    from mailpipe.messages as message
    where message.id = held.subject_id;
    return '{"begun": true}';
end;
$$;

revoke execute on function mailpipe_api.begin_attempt(jsonb, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe_api.begin_attempt(jsonb, text, bigint) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.begin_attempt(jsonb, text, bigint) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
