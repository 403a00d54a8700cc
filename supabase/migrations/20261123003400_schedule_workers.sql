-- What: wake_maintenance(), and the schedule where pg_cron and pg_net exist.
-- Why: what no request woke is swept; nothing is posted unless something is due.
-- Locks: none on existing objects.

-- Whether run-maintenance has anything of this to do: the scheduler posts only then.
create function mailpipe.upkeep_due()
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (select from mailpipe.key_uses)
        or exists (
            select
            from mailpipe.rate_windows as counted
            left join mailpipe.saved_windows as saved on saved.subject_id = counted.subject_id
            where counted.day_at <> 'infinity'
                and not starts_with(counted.subject_id, 'report:')
                and counted.day_used is distinct from saved.day_used
        )
        or exists (
            select
            from mailpipe.rate_windows as counted
            where counted.day_at + interval '1 day' <= mailpipe.clock()
        )
        or exists (select from mailpipe.keys_due())
        or exists (select from mailpipe.unsealed_organizations())
        or exists (select from mailpipe.untold_organizations())
        or exists (select from mailpipe.ranges_over())
        or exists (select from mailpipe.messages_over())
        or exists (select from mailpipe.raw_mail_over())
        or exists (select from mailpipe.events_over())
        or exists (select from mailpipe.attempts_over())
        or exists (select from mailpipe.webhook_endpoints where removed_at is not null)
        or exists (select from mailpipe.exports where finished_at < mailpipe.clock() - interval '7 days')
        or exists (
            select
            from mailpipe.deletions
            where state = 'asked'
                and confirm_until <= mailpipe.clock()
        );
$$;

revoke execute on function mailpipe.upkeep_due() from public, anon, authenticated;
-- Granted to nobody: the scheduler asks.

create function mailpipe.wake_maintenance()
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.wake('run-maintenance')
    where exists (
        select
        from mailpipe.idempotency_records as record
        where record.expires_at <= mailpipe.clock()
    )
    or exists (
        select
        from mailpipe.orphan_objects()
    )
    or mailpipe.upkeep_due();
$$;

revoke execute on function mailpipe.wake_maintenance() from public, anon, authenticated;
-- Granted to nobody: the scheduler calls it as the migrating role.

do $$
declare
    extension_name text;
begin
    foreach extension_name in array array['pg_cron', 'pg_net'] loop
        if exists (select from pg_available_extensions where name = extension_name) then
            execute format('create extension if not exists %I', extension_name);
        end if;
    end loop;

    if to_regprocedure('cron.schedule(text, text, text)') is null
        or to_regprocedure('net.http_post(text, jsonb, jsonb, jsonb, integer)') is null
    then
        raise notice 'pg_cron or pg_net is missing: call the worker functions from a scheduler of your own';
        return;
    end if;
    perform cron.schedule('mailpipe-wake-workers', '5 seconds', 'select mailpipe.wake_workers()');
    perform cron.schedule('mailpipe-wake-maintenance', '* * * * *', 'select mailpipe.wake_maintenance()');
end;
$$;
