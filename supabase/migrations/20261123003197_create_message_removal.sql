-- What: remove_messages.
-- Why: a message goes with its recipients, files, events, deliveries, raw requests and its place in the thread.
-- Locks: none on existing objects.

-- Objects of these that no row points at any more.
create function mailpipe.unreferenced(p_keys text[])
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(distinct key), '{}')
    from unnest(p_keys) as key
    where key is not null
        and not exists (select from mailpipe.attachments as attachment where attachment.storage_key = key)
        and not exists (select from mailpipe.messages as message where message.raw_key = key)
        and not exists (select from mailpipe.inbound_requests as request where request.storage_key = key)
        and not exists (select from mailpipe.export_parts as part where part.storage_key = key);
$$;

revoke execute on function mailpipe.unreferenced(text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

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
        and delivery.event_id = any (p_event_ids)
        and job.kind = 'dispatch_delivery'
        and job.subject_id = delivery.id;
$$;

revoke execute on function mailpipe.remove_dispatches(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

-- Removes messages; returns the objects nothing points at any more. What a worker holds right now stays for the next
-- call: its outcome must be written somewhere.
create function mailpipe.remove_messages(p_organization_id text, p_ids text[])
returns text[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    free constant text[] := array(
        select message.id
        from mailpipe.messages as message
        where message.organization_id = p_organization_id
            and message.id = any (p_ids)
            and not exists (
                select
                from mailpipe.jobs as job
                where job.kind = 'deliver_message'
                    and job.subject_id = message.id
                    and job.lease_until > mailpipe.clock()
            )
    );
    keys text[] := array(
        select attachment.storage_key
        from mailpipe.attachments as attachment
        where attachment.organization_id = p_organization_id
            and attachment.message_id = any (free)
    );
    thread_ids text[];
begin
    delete from mailpipe.jobs as job
    where job.kind = 'deliver_message'
        and job.subject_id = any (free);
    perform mailpipe.remove_dispatches(p_organization_id, array(
        select event.id
        from mailpipe.events as event
        where event.organization_id = p_organization_id
            and event.message_id = any (free)
    ));

    with removed as (
        delete from mailpipe.messages as message
        where message.organization_id = p_organization_id
            and message.id = any (free)
        returning message.thread_id, message.raw_key
    )
    select array_agg(distinct removed.thread_id), keys || array_agg(removed.raw_key)
    into thread_ids, keys
    from removed;

    with removed as (
        delete from mailpipe.inbound_requests as request
        where request.organization_id = p_organization_id
            and request.message_ids && free
            and not exists (
                select
                from mailpipe.messages as message
                where message.id = any (request.message_ids)
            )
        returning request.storage_key
    )
    select keys || array_agg(removed.storage_key)
    into keys
    from removed;

    perform mailpipe.refresh_threads(p_organization_id, thread_ids);
    return mailpipe.unreferenced(keys);
end;
$$;

revoke execute on function mailpipe.remove_messages(text, text[]) from public, anon, authenticated;
grant execute on function mailpipe.remove_messages(text, text[]) to mailpipe_worker;
