-- What: what goes along with a message: its place in a thread, jobs, raw requests.
-- Why: nothing but foreign keys cascades by itself; these have none, or more than one message.
-- Locks: none on existing objects.

-- Brings threads up to what is left of them; those with nothing left go.
create function mailpipe.refresh_threads(p_organization_id text, p_ids text[])
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    delete from mailpipe.threads as thread
    where thread.organization_id = p_organization_id
        and thread.id = any (p_ids)
        and not exists (
            select
            from mailpipe.messages as message
            where message.organization_id = thread.organization_id
                and message.environment = thread.environment
                and message.thread_id = thread.id
        );

    update mailpipe.threads as thread
    set
        message_count = left_over.messages,
        last_message_at = left_over.last_at
    from (
        select message.environment, message.thread_id, count(*) as messages, max(message.created_at) as last_at
        from mailpipe.messages as message
        where message.organization_id = p_organization_id
            and message.environment in ('live', 'test')
            and message.thread_id = any (p_ids)
        group by message.environment, message.thread_id
    ) as left_over
    where thread.organization_id = p_organization_id
        and thread.environment = left_over.environment
        and thread.id = left_over.thread_id;
$$;

revoke execute on function mailpipe.refresh_threads(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

-- Jobs have no foreign key to what they are about.
create function mailpipe.remove_dispatches(p_organization_id text, p_event_ids text[])
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    delete from mailpipe.jobs as job
    using mailpipe.deliveries as delivery
    where delivery.organization_id = p_organization_id
        and delivery.environment in ('live', 'test')
        and delivery.event_id = any (p_event_ids)
        and job.kind = 'dispatch_delivery'
        and job.subject_id = delivery.id;
$$;

revoke execute on function mailpipe.remove_dispatches(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

create function mailpipe.remove_jobs_of(p_organization_id text, p_message_ids text[])
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    delete from mailpipe.jobs as job
    where job.kind = 'deliver_message'
        and job.subject_id = any (p_message_ids);

    select mailpipe.remove_dispatches(p_organization_id, array(
        select event.id
        from mailpipe.events as event
        where event.organization_id = p_organization_id
            and event.environment in ('live', 'test')
            and event.message_id = any (p_message_ids)
    ));
$$;

revoke execute on function mailpipe.remove_jobs_of(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

-- Raw requests none of whose messages is left; returns their objects.
create function mailpipe.remove_requests_of(p_organization_id text, p_message_ids text[])
returns text[]
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    with removed as (
        delete from mailpipe.inbound_requests as request
        where request.organization_id = p_organization_id
            and request.message_ids && p_message_ids
            and not exists (
                select
                from mailpipe.messages as message
                where message.id = any (request.message_ids)
            )
        returning request.storage_key
    )
    select coalesce(array_agg(removed.storage_key), '{}')
    from removed;
$$;

revoke execute on function mailpipe.remove_requests_of(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.
