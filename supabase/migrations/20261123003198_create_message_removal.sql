-- What: remove_messages.
-- Why: a message goes with its recipients, files, events, deliveries, raw requests and its place in the thread.
-- Locks: none on existing objects.

-- Messages no worker holds right now: the outcome of one it holds must be written somewhere.
create function mailpipe.free_messages(p_organization_id text, p_ids text[])
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select array(
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
$$;

revoke execute on function mailpipe.free_messages(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

-- Removes messages; returns the objects nothing points at any more. What a worker holds stays for the next call.
create function mailpipe.remove_messages(p_organization_id text, p_ids text[])
returns text[]
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    free constant text[] := mailpipe.free_messages(p_organization_id, p_ids);
    keys text[] := array(
        select attachment.storage_key
        from mailpipe.attachments as attachment
        where attachment.organization_id = p_organization_id
            and attachment.environment in ('live', 'test')
            and attachment.message_id = any (free)
    );
    thread_ids text[];
begin
    perform mailpipe.remove_jobs_of(p_organization_id, free);

    with removed as (
        delete from mailpipe.messages as message
        where message.organization_id = p_organization_id
            and message.id = any (free)
        returning message.thread_id, message.raw_key
    )
    select array_agg(distinct removed.thread_id), keys || array_agg(removed.raw_key)
    into thread_ids, keys
    from removed;

    keys := keys || mailpipe.remove_requests_of(p_organization_id, free);
    perform mailpipe.refresh_threads(p_organization_id, thread_ids);
    return mailpipe.unreferenced(keys);
end;
$$;

revoke execute on function mailpipe.remove_messages(text, text[]) from public, anon, authenticated;
grant execute on function mailpipe.remove_messages(text, text[]) to mailpipe_worker;
