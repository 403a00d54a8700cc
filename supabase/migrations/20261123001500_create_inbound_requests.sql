-- What: raw requests from providers, and events for messages not known yet.
-- Why: a 2xx to a provider's webhook means its raw bytes are stored; an event may come before its message.
-- Locks: none on existing objects.

create table mailpipe.inbound_requests (
    id text collate "C" not null default mailpipe.new_id('inb'),
    organization_id text collate "C" not null,
    environment text not null,
    provider_id text collate "C" not null,
    kind text not null,
    -- The provider's own name for the event: the same on every retry.
    event_key text not null,
    headers jsonb not null,
    storage_key text not null,
    size_bytes bigint not null,
    processed_at timestamptz,
    failure text,
    -- The messages its bytes are about, so that they go together.
    message_ids text[] not null default '{}',
    created_at timestamptz not null default mailpipe.clock(),
    constraint inbound_requests_pkey primary key (id),
    constraint inbound_requests_tenant unique (organization_id, environment, id),
    constraint inbound_requests_once unique (organization_id, environment, provider_id, event_key),
    constraint inbound_requests_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint inbound_requests_provider foreign key (organization_id, environment, provider_id)
        references mailpipe.providers (organization_id, environment, id),
    constraint inbound_requests_event_key_length check (char_length(event_key) between 1 and 256),
    constraint inbound_requests_key_is_the_tenants check (
        starts_with(storage_key, concat(organization_id, '/', environment, '/'))
    ),
    constraint inbound_requests_failure_length check (char_length(failure) <= 500)
);

create index inbound_requests_of_object on mailpipe.inbound_requests (storage_key);
create index inbound_requests_of_messages on mailpipe.inbound_requests using gin (message_ids);
create index inbound_requests_oldest on mailpipe.inbound_requests (organization_id, created_at);

alter table mailpipe.inbound_requests enable row level security;
alter table mailpipe.inbound_requests force row level security;
grant select, insert on mailpipe.inbound_requests to mailpipe_tenant;
grant select on mailpipe.inbound_requests to mailpipe_worker;
grant update (processed_at, failure, message_ids) on mailpipe.inbound_requests to mailpipe_worker;
create policy "a caller works on the inbound requests of its organization"
    on mailpipe.inbound_requests
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around inbound requests"
    on mailpipe.inbound_requests
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

create policy "a worker works on inbound requests"
    on mailpipe.inbound_requests
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');

create table mailpipe.early_events (
    id text collate "C" not null default mailpipe.new_id('evt'),
    organization_id text collate "C" not null,
    environment text not null,
    provider_id text collate "C" not null,
    provider_message_id text not null,
    request_id text collate "C" not null,
    event jsonb not null,
    created_at timestamptz not null default mailpipe.clock(),
    constraint early_events_pkey primary key (id),
    constraint early_events_provider foreign key (organization_id, environment, provider_id)
        references mailpipe.providers (organization_id, environment, id) on delete cascade,
    constraint early_events_request foreign key (organization_id, environment, request_id)
        references mailpipe.inbound_requests (organization_id, environment, id) on delete cascade
);

create index early_events_of_message
    on mailpipe.early_events (organization_id, environment, provider_id, provider_message_id);
create index early_events_of_request on mailpipe.early_events (organization_id, environment, request_id);

alter table mailpipe.early_events enable row level security;
alter table mailpipe.early_events force row level security;
grant select, insert, delete on mailpipe.early_events to mailpipe_worker;
create policy "a caller works on the early events of its organization"
    on mailpipe.early_events
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around early events"
    on mailpipe.early_events
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

create policy "a worker works on early events"
    on mailpipe.early_events
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
