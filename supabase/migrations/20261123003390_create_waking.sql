-- What: wake_workers(), which calls the workers that have something to do.
-- Why: what no request woke is swept; nothing is posted unless something is due.
-- Locks: none on existing objects.

create function mailpipe.wake(p_slug text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    base constant text := (select functions_url from mailpipe.settings);
    secret constant text := (
        select vaulted.decrypted_secret
        from vault.decrypted_secrets as vaulted
        where vaulted.name = 'mailpipe_worker_secret'
    );
begin
    if base is null then
        return;
    end if;
    perform net.http_post(
        url => base || '/' || p_slug,
        body => '{}'::jsonb,
        headers => jsonb_build_object('content-type', 'application/json', 'authorization', 'Bearer ' || secret),
        timeout_milliseconds => 5000
    );
end;
$$;

revoke execute on function mailpipe.wake(text) from public, anon, authenticated;
-- Granted to nobody: the scheduler calls it as the migrating role.

-- Whether a worker would find anything of a kind in a lane.
create function mailpipe.is_due(p_kind text, p_lane text)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from mailpipe.jobs as job
        where job.kind = p_kind
            and job.lane = p_lane
            and job.group_id = ''
            and job.due_at <= mailpipe.clock()
            and not mailpipe.is_held(job)
    )
    or p_kind = 'dispatch_delivery' and exists (select from mailpipe.endpoints_in_turn(p_lane, 1));
$$;

revoke execute on function mailpipe.is_due(text, text) from public, anon, authenticated;
-- Granted to nobody: the scheduler asks.

create function mailpipe.wake_workers()
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.wake(workers.slug)
    from (
        values
            (array['deliver_message'], 'deliver-mail'),
            (array['dispatch_delivery'], 'dispatch-webhooks'),
            (array['process_inbound'], 'process-inbound'),
            (array['replay_deliveries', 'export_data', 'delete_data', 'rewrap_keys'], 'run-data-jobs')
    ) as workers (kinds, slug)
    where exists (
        select
        from unnest(workers.kinds) as kinds (kind)
        cross join unnest(array['first', 'retry']) as lanes (lane)
        where mailpipe.is_due(kinds.kind, lanes.lane)
    );
$$;

revoke execute on function mailpipe.wake_workers() from public, anon, authenticated;
-- Granted to nobody: the scheduler calls it as the migrating role.
