-- What: events, webhook endpoints and deliveries.
-- Why: an event is written in the transaction of the change it tells of, and fans out in the same one.
-- Locks: none on existing objects.

create table mailpipe.events (
    id text collate "C" not null default mailpipe.new_id('evt'),
    organization_id text collate "C" not null,
    environment text not null,
    type text not null,
    message_id text collate "C",
    data jsonb not null,
    -- The exact bytes every try sends, composed once by the first worker that needs them.
    body text,
    created_at timestamptz not null default mailpipe.clock(),
    constraint events_pkey primary key (id),
    constraint events_tenant unique (organization_id, environment, id),
    constraint events_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint events_message foreign key (organization_id, environment, message_id)
        references mailpipe.messages (organization_id, environment, id) on delete cascade,
    constraint events_type_is_dotted check (type ~ '^[a-z]+\.[a-z_]+$')
);

create index events_of_message on mailpipe.events (organization_id, environment, message_id, created_at);

alter table mailpipe.events enable row level security;
alter table mailpipe.events force row level security;
grant select, insert on mailpipe.events to mailpipe_tenant, mailpipe_worker;
grant update (body) on mailpipe.events to mailpipe_worker;
create policy "a caller works on the events of its organization"
    on mailpipe.events
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around events"
    on mailpipe.events
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

create policy "a worker works on events"
    on mailpipe.events
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');

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
    constraint webhook_endpoints_secret_aes256 check (get_byte(secret, 3) = 9)
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

create table mailpipe.deliveries (
    id text collate "C" not null default mailpipe.new_id('dlv'),
    organization_id text collate "C" not null,
    environment text not null,
    event_id text collate "C" not null,
    endpoint_id text collate "C" not null,
    state text not null default 'pending',
    attempts int not null default 0,
    finished_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint deliveries_pkey primary key (id),
    constraint deliveries_tenant unique (organization_id, environment, id),
    constraint deliveries_one_per_endpoint unique (organization_id, environment, event_id, endpoint_id),
    constraint deliveries_event foreign key (organization_id, environment, event_id)
        references mailpipe.events (organization_id, environment, id) on delete cascade,
    constraint deliveries_endpoint foreign key (organization_id, environment, endpoint_id)
        references mailpipe.webhook_endpoints (organization_id, environment, id) on delete cascade,
    constraint deliveries_state_known check (state in ('pending', 'succeeded', 'failed'))
);

create index deliveries_of_endpoint
    on mailpipe.deliveries (organization_id, environment, endpoint_id, created_at desc, id desc);

alter table mailpipe.deliveries enable row level security;
alter table mailpipe.deliveries force row level security;
grant select, insert on mailpipe.deliveries to mailpipe_tenant, mailpipe_worker;
grant update (state, attempts, finished_at) on mailpipe.deliveries to mailpipe_worker;
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

-- Writes an event and, when p_announce, one delivery and one job for every enabled endpoint that subscribed.
create function mailpipe.emit_event(
    p_organization_id text,
    p_environment text,
    p_type text,
    p_message_id text,
    p_data jsonb,
    p_announce boolean
)
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    with event as (
        insert into mailpipe.events (organization_id, environment, type, message_id, data)
        values (p_organization_id, p_environment, p_type, p_message_id, p_data)
        returning id
    ),
    fanned_out as (
        insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id)
        select p_organization_id, p_environment, event.id, endpoint.id
        from event
        cross join mailpipe.webhook_endpoints as endpoint
        where p_announce
            and endpoint.organization_id = p_organization_id
            and endpoint.environment = p_environment
            and endpoint.enabled
            and (p_type = any (endpoint.events) or '*' = any (endpoint.events))
        returning id
    ),
    queued as (
        insert into mailpipe.jobs (organization_id, environment, kind, subject_id)
        select p_organization_id, p_environment, 'dispatch_delivery', fanned_out.id
        from fanned_out
    )
    select event.id
    from event;
$$;

revoke execute on function mailpipe.emit_event(text, text, text, text, jsonb, boolean)
    from public, anon, authenticated;
grant execute on function mailpipe.emit_event(text, text, text, text, jsonb, boolean)
    to mailpipe_tenant, mailpipe_worker;
