-- What: deliveries: one event to one endpoint.
-- Why: each endpoint gets each event it subscribed to, once.
-- Locks: none on existing objects.

create table mailpipe.deliveries (
    id text collate "C" not null default mailpipe.new_id('dlv'),
    organization_id text collate "C" not null,
    environment text not null,
    event_id text collate "C" not null,
    endpoint_id text collate "C" not null,
    -- As the endpoint was when the event happened: the bytes of a delivery never change.
    thin boolean not null default false,
    state text not null default 'pending',
    attempts int not null default 0,
    -- Why the last try failed; none, once one succeeded.
    failure text,
    finished_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint deliveries_pkey primary key (id),
    constraint deliveries_tenant unique (organization_id, environment, id),
    constraint deliveries_one_per_endpoint unique (organization_id, environment, event_id, endpoint_id),
    constraint deliveries_event foreign key (organization_id, environment, event_id)
        references mailpipe.events (organization_id, environment, id) on delete cascade,
    constraint deliveries_endpoint foreign key (organization_id, environment, endpoint_id)
        references mailpipe.webhook_endpoints (organization_id, environment, id) on delete cascade,
    constraint deliveries_failure_shape check (failure ~ '^[a-z_]{2,32}$'),
    constraint deliveries_state_known check (state in ('pending', 'succeeded', 'failed'))
);

create index deliveries_of_endpoint
    on mailpipe.deliveries (organization_id, environment, endpoint_id, created_at desc, id desc);
create index deliveries_newest on mailpipe.deliveries (organization_id, environment, created_at desc, id desc);
-- Few among many: what a list of failed ones shows.
create index deliveries_failed
    on mailpipe.deliveries (organization_id, environment, endpoint_id, created_at, id)
    where state = 'failed';
-- The same in the order they were given up, which is how a replay goes through them.
create index deliveries_given_up
    on mailpipe.deliveries (organization_id, environment, endpoint_id, finished_at, id)
    where state = 'failed';

alter table mailpipe.deliveries enable row level security;
alter table mailpipe.deliveries force row level security;
grant select, insert on mailpipe.deliveries to mailpipe_tenant, mailpipe_worker;
grant update (state, finished_at) on mailpipe.deliveries to mailpipe_tenant;
grant update (state, attempts, failure, finished_at) on mailpipe.deliveries to mailpipe_worker;
create policy "a caller works on the deliveries of its organization"
    on mailpipe.deliveries
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around deliveries"
    on mailpipe.deliveries
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

create policy "a worker works on deliveries"
    on mailpipe.deliveries
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
