-- What: webhook endpoints.
-- Why: a customer's URL, what it subscribed to, and its sealed secret.
-- Locks: none on existing objects.

create table mailpipe.webhook_endpoints (
    id text collate "C" not null default mailpipe.new_id('whk'),
    organization_id text collate "C" not null,
    environment text not null,
    url text not null,
    description text,
    events text[] not null,
    secret bytea not null,
    enabled boolean not null default true,
    created_at timestamptz not null default mailpipe.clock(),
    constraint webhook_endpoints_pkey primary key (id),
    constraint webhook_endpoints_tenant unique (organization_id, environment, id),
    constraint webhook_endpoints_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint webhook_endpoints_environment_known check (environment in ('live', 'test')),
    constraint webhook_endpoints_url_length check (char_length(url) <= 2048),
    constraint webhook_endpoints_description_length check (char_length(description) <= 500),
    constraint webhook_endpoints_events_count check (cardinality(events) between 1 and 50),
    constraint webhook_endpoints_secret_aes256 check (get_byte(secret, 3) = 9 and get_byte(secret, 4) = 1)
);

create index webhook_endpoints_newest
    on mailpipe.webhook_endpoints (organization_id, environment, created_at desc, id desc);

alter table mailpipe.webhook_endpoints enable row level security;
alter table mailpipe.webhook_endpoints force row level security;
grant select, insert, delete on mailpipe.webhook_endpoints to mailpipe_tenant;
grant select on mailpipe.webhook_endpoints to mailpipe_worker;
grant update (enabled) on mailpipe.webhook_endpoints to mailpipe_worker;
create policy "a caller works on the endpoints of its organization"
    on mailpipe.webhook_endpoints
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around endpoints"
    on mailpipe.webhook_endpoints
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

create policy "a worker works on endpoints"
    on mailpipe.webhook_endpoints
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
