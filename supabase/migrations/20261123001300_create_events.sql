-- What: events.
-- Why: facts of what happened, kept as written.
-- Locks: none on existing objects.

create table mailpipe.events (
    id text collate "C" not null default mailpipe.new_id('evt'),
    organization_id text collate "C" not null,
    environment text not null,
    type text not null,
    message_id text collate "C",
    data jsonb not null,
    -- How data is made up; the catalogue in the README is of the newest version.
    payload_version int not null default 1,
    -- The exact bytes every try sends, composed once by the first worker that needs them; the thin ones hold only ids.
    body text,
    thin_body text,
    created_at timestamptz not null default mailpipe.clock(),
    -- One transaction can tell several things of one moment; this keeps them in the order they were told.
    position bigint generated always as identity,
    constraint events_pkey primary key (id),
    constraint events_tenant unique (organization_id, environment, id),
    constraint events_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint events_message foreign key (organization_id, environment, message_id)
        references mailpipe.messages (organization_id, environment, id) on delete cascade,
    constraint events_type_is_dotted check (type ~ '^[a-z]+\.[a-z_]+$')
);

create index events_oldest on mailpipe.events (organization_id, created_at);
create index events_of_message on mailpipe.events (organization_id, environment, message_id, position);

alter table mailpipe.events enable row level security;
alter table mailpipe.events force row level security;
grant select, insert on mailpipe.events to mailpipe_tenant, mailpipe_worker;
grant update (body, thin_body) on mailpipe.events to mailpipe_worker;
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
