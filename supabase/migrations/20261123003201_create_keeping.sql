-- What: keep_messages, keep_raw_mail, keep_events, keep_attempts, and the end of exports and unconfirmed deletions.
-- Why: run-maintenance does each a batch at a time; objects that lose their last row go with the orphans.
-- Locks: none on existing objects.

create function mailpipe.keep_messages()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    with over as (
        select old.organization_id, array_agg(old.id) as ids
        from mailpipe.messages_over() as old
        group by old.organization_id
    ),
    removed as (
        select cardinality(over.ids) as messages, mailpipe.remove_messages(over.organization_id, over.ids)
        from over
    )
    select coalesce(sum(removed.messages), 0)
    from removed;
$$;

revoke execute on function mailpipe.keep_messages() from public, anon, authenticated;
grant execute on function mailpipe.keep_messages() to mailpipe_worker;

-- The parsed message stays; its raw bytes go.
create function mailpipe.keep_raw_mail()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    with removed as (
        delete from mailpipe.inbound_requests as request
        using mailpipe.raw_mail_over() as over
        where request.id = over.id
        returning request.message_ids
    ),
    cleared as (
        update mailpipe.messages as message
        set raw_key = null
        where message.id in (select unnest(removed.message_ids) from removed)
    )
    select count(*)
    from removed;
$$;

revoke execute on function mailpipe.keep_raw_mail() from public, anon, authenticated;
grant execute on function mailpipe.keep_raw_mail() to mailpipe_worker;

create function mailpipe.keep_events()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    with removed as (
        delete from mailpipe.events as event
        using mailpipe.events_over() as over
        where event.id = over.id
        returning event.id
    )
    select count(*)
    from removed;
$$;

revoke execute on function mailpipe.keep_events() from public, anon, authenticated;
grant execute on function mailpipe.keep_events() to mailpipe_worker;

create function mailpipe.keep_attempts()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    with removed as (
        delete from mailpipe.attempts as attempt
        using mailpipe.attempts_over() as over
        where attempt.job_id = over.job_id
            and attempt.fence = over.fence
        returning attempt.job_id
    )
    select count(*)
    from removed;
$$;

revoke execute on function mailpipe.keep_attempts() from public, anon, authenticated;
grant execute on function mailpipe.keep_attempts() to mailpipe_worker;

-- A finished export is kept for seven days, a deletion nobody confirmed for its hour.
create function mailpipe.copies_over()
returns bigint
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    with exported as (
        delete from mailpipe.exports
        where finished_at < mailpipe.clock() - interval '7 days'
        returning id
    ),
    asked as (
        delete from mailpipe.deletions
        where state = 'asked'
            and confirm_until <= mailpipe.clock()
        returning id
    )
    select (select count(*) from exported) + (select count(*) from asked);
$$;

revoke execute on function mailpipe.copies_over() from public, anon, authenticated;
grant execute on function mailpipe.copies_over() to mailpipe_worker;
