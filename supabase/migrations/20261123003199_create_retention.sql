-- What: what is past the time an organization keeps it.
-- Why: what an organization keeps no longer goes in small batches, oldest first; what is still under way stays.
-- Locks: none on existing objects.

-- Whether an event is still to be delivered, or was given up within the 30 days it can be replayed for.
create function mailpipe.is_undelivered(p_event mailpipe.events)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from mailpipe.deliveries as delivery
        where delivery.organization_id = p_event.organization_id
            and delivery.environment = p_event.environment
            and delivery.event_id = p_event.id
            and (
                delivery.state = 'pending'
                or delivery.state = 'failed' and delivery.finished_at > mailpipe.clock() - interval '30 days'
            )
    );
$$;

revoke execute on function mailpipe.is_undelivered(mailpipe.events) from public, anon, authenticated;
-- Granted to nobody: retention asks.

-- Messages past their time: not those a worker or the queue still has, nor those with an event that is undelivered, which
-- would go along.
create function mailpipe.messages_over()
returns table (organization_id text, id text)
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select message.organization_id, message.id
    from mailpipe.organizations as organization
    cross join lateral (
        select old.organization_id, old.id
        from mailpipe.messages as old
        where old.organization_id = organization.id
            and old.environment in ('live', 'test')
            and old.created_at < mailpipe.clock() - make_interval(days => organization.messages_retention_days)
            and not exists (
                select
                from mailpipe.jobs as job
                where job.kind = 'deliver_message'
                    and job.subject_id = old.id
            )
            and not exists (
                select
                from mailpipe.events as event
                where event.organization_id = old.organization_id
                    and event.environment = old.environment
                    and event.message_id = old.id
                    and mailpipe.is_undelivered(event)
            )
        order by old.created_at
        limit 200
    ) as message
    where organization.messages_retention_days is not null
    limit 1000;
$$;

revoke execute on function mailpipe.messages_over() from public, anon, authenticated;
-- Granted to nobody: retention and the scheduler ask.

-- Raw mail past its time, as far as it was processed.
create function mailpipe.raw_mail_over()
returns setof mailpipe.inbound_requests
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select request.*
    from mailpipe.organizations as organization
    cross join lateral (
        select old.*
        from mailpipe.inbound_requests as old
        where old.organization_id = organization.id
            and old.created_at < mailpipe.clock() - make_interval(days => organization.raw_mail_retention_days)
            and old.processed_at is not null
        order by old.created_at
        limit 500
    ) as request
    where organization.raw_mail_retention_days is not null
    limit 1000;
$$;

revoke execute on function mailpipe.raw_mail_over() from public, anon, authenticated;
-- Granted to nobody: retention and the scheduler ask.

-- Events past their time, unless they are undelivered.
create function mailpipe.events_over()
returns setof mailpipe.events
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select event.*
    from mailpipe.organizations as organization
    cross join lateral (
        select old.*
        from mailpipe.events as old
        where old.organization_id = organization.id
            and old.created_at < mailpipe.clock() - make_interval(days => organization.events_retention_days)
            and not mailpipe.is_undelivered(old)
        order by old.created_at
        limit 500
    ) as event
    where organization.events_retention_days is not null
    limit 1000;
$$;

revoke execute on function mailpipe.events_over() from public, anon, authenticated;
-- Granted to nobody: retention and the scheduler ask.

create function mailpipe.attempts_over()
returns setof mailpipe.attempts
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select attempt.*
    from mailpipe.organizations as organization
    cross join lateral (
        select old.*
        from mailpipe.attempts as old
        where old.organization_id = organization.id
            and old.started_at < mailpipe.clock() - make_interval(days => organization.attempts_retention_days)
            -- An unfinished attempt says that an outcome is unknown.
            and old.finished_at is not null
        order by old.started_at
        limit 500
    ) as attempt
    where organization.attempts_retention_days is not null
    limit 1000;
$$;

revoke execute on function mailpipe.attempts_over() from public, anon, authenticated;
-- Granted to nobody: retention and the scheduler ask.
