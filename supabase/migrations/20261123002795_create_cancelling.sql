-- What: cancelling queued mail: of one message, and of revoked keys.
-- Why: a message is either sent or cancelled; what a worker holds, or may have sent, is not taken from it.
-- Locks: none on existing objects.

-- Cancels what is still queued of a message, if no worker holds it; true when it did.
create function mailpipe.cancel_message(p_message mailpipe.messages, p_reason text)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    cancelled text[];
begin
    delete from mailpipe.jobs as job
    where job.kind = 'deliver_message'
        and job.subject_id = p_message.id
        and (job.lease_until is null or job.lease_until <= mailpipe.clock())
        and not exists (
            select
            from mailpipe.recipients as recipient
            where recipient.organization_id = p_message.organization_id
                and recipient.environment = p_message.environment
                and recipient.message_id = p_message.id
                and recipient.status = 'sending'
        );
    if not found then
        return false;
    end if;

    with changed as (
        update mailpipe.recipients as recipient
        set
            status = 'cancelled',
            reason = p_reason,
            updated_at = mailpipe.clock()
        where recipient.organization_id = p_message.organization_id
            and recipient.environment = p_message.environment
            and recipient.message_id = p_message.id
            and recipient.status = 'queued'
        returning recipient.email, recipient.position
    )
    select coalesce(array_agg(changed.email order by changed.position), '{}')
    into cancelled
    from changed;

    perform mailpipe.refresh_message_status(p_message.id);
    perform mailpipe.tell(p_message, 'email.cancelled', cancelled, jsonb_build_object('reason', p_reason));
    return true;
end;
$$;

revoke execute on function mailpipe.cancel_message(mailpipe.messages, text) from public, anon, authenticated;
grant execute on function mailpipe.cancel_message(mailpipe.messages, text) to mailpipe_worker;

-- Cancels the first thousand messages p_ids queued, which takes a second; the mark on the keys has the workers cancel
-- the others when they come to them, so nothing more goes out either way.
create function mailpipe.cancel_queued(p_organization_id text, p_environment text, p_ids text[])
returns int
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    cancelled int;
begin
    update mailpipe.api_keys as key
    set queue_cancelled = true
    where key.organization_id = p_organization_id
        and key.environment = p_environment
        and key.id = any (p_ids);

    select count(*) filter (where mailpipe.cancel_message(message, 'Its API key was revoked.'))
    into cancelled
    from (
        select queued.*
        from mailpipe.messages as queued
        join mailpipe.jobs as job on job.kind = 'deliver_message' and job.subject_id = queued.id
        where queued.organization_id = p_organization_id
            and queued.environment = p_environment
            and queued.api_key_id = any (p_ids)
        order by job.due_at
        limit 1000
    ) as message;
    return cancelled;
end;
$$;

revoke execute on function mailpipe.cancel_queued(text, text, text[]) from public, anon, authenticated;
-- Granted to nobody: revoking cancels.

-- Of claimed jobs, those whose key was revoked with its queue are cancelled; the others are the worker's.
create function mailpipe.without_cancelled(p_claimed mailpipe.jobs[])
returns mailpipe.jobs[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    message mailpipe.messages;
    stopped text[] := '{}';
begin
    for message in
        select queued.*
        from unnest(p_claimed) as job
        join mailpipe.messages as queued on queued.id = job.subject_id
        join mailpipe.api_keys as key on key.id = queued.api_key_id
        where key.queue_cancelled
    loop
        update mailpipe.jobs
        set lease_until = null
        where kind = 'deliver_message'
            and subject_id = message.id;
        if mailpipe.cancel_message(message, 'Its API key was revoked.') then
            stopped := stopped || message.id;
        end if;
    end loop;
    return array(
        select job
        from unnest(p_claimed) as job
        where job.subject_id <> all (stopped)
    );
end;
$$;

revoke execute on function mailpipe.without_cancelled(mailpipe.jobs[]) from public, anon, authenticated;
grant execute on function mailpipe.without_cancelled(mailpipe.jobs[]) to mailpipe_worker;
