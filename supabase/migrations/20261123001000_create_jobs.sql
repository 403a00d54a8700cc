-- What: the one queue of background work, and its finish.
-- Why: a message, a delivery and an inbound request are each a kind of job; none has a queue of its own.
-- Locks: none on existing objects.

create table mailpipe.jobs (
    id text collate "C" not null default mailpipe.new_id('job'),
    organization_id text collate "C",
    environment text,
    -- Each column of an index compares by "C": a parameter takes on the collation of an id given beside it, and an index
    -- of another collation is not used for it.
    kind text collate "C" not null,
    subject_id text collate "C" not null,
    -- Jobs of one group take turns with those of others, however many it has waiting. A delivery's is its endpoint.
    group_id text collate "C" not null default '',
    lane text collate "C" not null default 'first',
    -- A claim pushes due_at to the end of its lease, so one index answers both "due" and "not leased".
    due_at timestamptz not null default mailpipe.clock(),
    lease_until timestamptz,
    fence bigint not null default 0,
    attempts int not null default 0,
    cursor jsonb,
    created_at timestamptz not null default mailpipe.clock(),
    constraint jobs_pkey primary key (id),
    constraint jobs_one_per_subject unique (kind, subject_id),
    constraint jobs_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint jobs_kind_known check (kind in (
        'deliver_message', 'dispatch_delivery', 'process_inbound', 'export_data', 'delete_data', 'rewrap_keys',
        'replay_deliveries'
    )),
    constraint jobs_lane_known check (lane in ('first', 'retry')),
    -- The master key is the installation's. A job that is nobody's passes no tenant's policy, which compares with "=".
    constraint jobs_rewrapping_is_nobodys check (
        (organization_id is null) = (kind = 'rewrap_keys')
        and (environment is null) = (kind = 'rewrap_keys')
    )
);

create index jobs_due on mailpipe.jobs (kind, lane, group_id, due_at);
create index jobs_under_way on mailpipe.jobs (kind, group_id, lane) where lease_until is not null;
create index jobs_of_organization on mailpipe.jobs (organization_id, environment);

alter table mailpipe.jobs enable row level security;
alter table mailpipe.jobs force row level security;
grant select, insert, delete on mailpipe.jobs to mailpipe_tenant;
grant select, insert, delete on mailpipe.jobs to mailpipe_worker;
grant update (lane, due_at, lease_until, fence, attempts, cursor) on mailpipe.jobs to mailpipe_worker;
-- A delivery that is replayed while it waits is due at once, and begins its schedule anew.
grant update (due_at, attempts) on mailpipe.jobs to mailpipe_tenant;
create policy "a caller works on the jobs of its organization"
    on mailpipe.jobs
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around jobs"
    on mailpipe.jobs
    as restrictive
    for all
    to mailpipe_tenant
    using (
        organization_id = (select current_setting('mailpipe.organization_id', true))
        and environment = (select current_setting('mailpipe.environment', true))
    )
    with check (
        organization_id = (select current_setting('mailpipe.organization_id', true))
        and environment = (select current_setting('mailpipe.environment', true))
    );

create policy "a worker works on jobs"
    on mailpipe.jobs
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');

-- False when another claim has taken the job since: then nothing the caller found out may be written.
-- Without p_retry_in the job is done.
create function mailpipe.finish_job(p_id text, p_fence bigint, p_retry_in interval)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_retry_in is null then
        delete from mailpipe.jobs
        where id = p_id
            and fence = p_fence;
    else
        update mailpipe.jobs
        set
            lane = 'retry',
            due_at = mailpipe.clock() + p_retry_in,
            lease_until = null
        where id = p_id
            and fence = p_fence;
    end if;
    return found;
end;
$$;

revoke execute on function mailpipe.finish_job(text, bigint, interval) from public, anon, authenticated;
grant execute on function mailpipe.finish_job(text, bigint, interval) to mailpipe_worker;
