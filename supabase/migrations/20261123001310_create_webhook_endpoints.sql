-- What: webhook endpoints.
-- Why: a customer's URL, what it subscribed to, its sealed secrets, and how well it has been answering.
-- Locks: none on existing objects.

create table mailpipe.webhook_endpoints (
    id text collate "C" not null default mailpipe.new_id('whk'),
    organization_id text collate "C" not null,
    environment text not null,
    url text not null,
    description text,
    events text[] not null,
    -- Its events hold ids and a link.
    thin boolean not null default false,
    -- The customer's own, an object of name and value; the names alone are shown.
    headers bytea,
    header_names text[] not null default '{}',
    secret bytea not null,
    -- The one before, while a rotation's overlap lasts.
    previous_secret bytea,
    previous_secret_until timestamptz,
    -- Tries under way at once, and begun within a second, at most.
    max_concurrent int not null default 10,
    max_per_second int,
    enabled boolean not null default true,
    disabled_reason text,
    disabled_at timestamptz,
    -- Since then every try has failed.
    failing_since timestamptz,
    -- Tries that may be under way at once now: fewer while it fails, more with each success. A new endpoint starts small.
    slots int not null default 4,
    -- It is left alone until then.
    resume_at timestamptz,
    -- A removed endpoint is shown nowhere; its row goes when the last of its deliveries is gone.
    removed_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint webhook_endpoints_pkey primary key (id),
    constraint webhook_endpoints_tenant unique (organization_id, environment, id),
    constraint webhook_endpoints_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint webhook_endpoints_environment_known check (environment in ('live', 'test')),
    constraint webhook_endpoints_url_length check (char_length(url) <= 2048),
    constraint webhook_endpoints_description_length check (char_length(description) <= 500),
    constraint webhook_endpoints_events_count check (cardinality(events) between 1 and 50),
    constraint webhook_endpoints_header_names_count check (cardinality(header_names) <= 20),
    constraint webhook_endpoints_headers_aes256 check (get_byte(headers, 3) = 9 and get_byte(headers, 4) = 1),
    constraint webhook_endpoints_secret_aes256 check (get_byte(secret, 3) = 9 and get_byte(secret, 4) = 1),
    constraint webhook_endpoints_previous_secret_aes256 check (
        get_byte(previous_secret, 3) = 9 and get_byte(previous_secret, 4) = 1
    ),
    constraint webhook_endpoints_previous_secret_ends check (
        (previous_secret is null) = (previous_secret_until is null)
    ),
    constraint webhook_endpoints_max_concurrent_range check (max_concurrent between 1 and 50),
    constraint webhook_endpoints_max_per_second_range check (max_per_second between 1 and 1000),
    constraint webhook_endpoints_slots_positive check (slots >= 1),
    constraint webhook_endpoints_disabled_for_a_reason check (
        enabled = (disabled_reason is null) and enabled = (disabled_at is null)
    ),
    constraint webhook_endpoints_reason_known check (
        disabled_reason in ('by_hand', 'gone', 'asked', 'failing', 'redacted', 'closed', 'removed')
    )
) with (fillfactor = 80);

create index webhook_endpoints_newest
    on mailpipe.webhook_endpoints (organization_id, environment, created_at desc, id desc);

alter table mailpipe.webhook_endpoints enable row level security;
alter table mailpipe.webhook_endpoints force row level security;
grant select, insert on mailpipe.webhook_endpoints to mailpipe_tenant;
grant update (
    url, description, events, thin, headers, header_names, secret, previous_secret, previous_secret_until,
    max_concurrent, max_per_second, enabled, disabled_reason, disabled_at, failing_since, slots, resume_at, removed_at
) on mailpipe.webhook_endpoints to mailpipe_tenant;
grant select on mailpipe.webhook_endpoints to mailpipe_worker;
grant update (failing_since, slots, resume_at) on mailpipe.webhook_endpoints to mailpipe_worker;
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
