-- What: the log of attempts: one row for each try of a message or a delivery.
-- Why: the row is committed before the call, so a crash between call and answer leaves a trace.
-- Locks: none on existing objects.

create table mailpipe.attempts (
    organization_id text collate "C" not null,
    environment text not null,
    job_id text collate "C" not null,
    -- The claim that made this try; a later claim has a higher fence.
    fence bigint not null,
    message_id text collate "C",
    delivery_id text collate "C",
    provider_id text collate "C",
    outcome text,
    status_code int,
    duration_ms int,
    detail text,
    started_at timestamptz not null default mailpipe.clock(),
    finished_at timestamptz,
    constraint attempts_pkey primary key (job_id, fence),
    constraint attempts_message foreign key (organization_id, environment, message_id)
        references mailpipe.messages (organization_id, environment, id) on delete cascade,
    constraint attempts_delivery foreign key (organization_id, environment, delivery_id)
        references mailpipe.deliveries (organization_id, environment, id) on delete cascade,
    constraint attempts_provider foreign key (organization_id, environment, provider_id)
        references mailpipe.providers (organization_id, environment, id),
    constraint attempts_one_subject check (num_nonnulls(message_id, delivery_id) = 1),
    constraint attempts_outcome_with_its_time check ((outcome is null) = (finished_at is null)),
    -- 4 KiB of an answer is kept.
    constraint attempts_detail_length check (octet_length(detail) <= 4096)
);

create index attempts_oldest on mailpipe.attempts (organization_id, started_at);
create index attempts_of_message on mailpipe.attempts (organization_id, environment, message_id, started_at);
create index attempts_of_delivery on mailpipe.attempts (organization_id, environment, delivery_id, started_at);
create index attempts_of_provider on mailpipe.attempts (organization_id, environment, provider_id);

alter table mailpipe.attempts enable row level security;
alter table mailpipe.attempts force row level security;
grant select on mailpipe.attempts to mailpipe_tenant;
grant select, insert on mailpipe.attempts to mailpipe_worker;
grant update (outcome, status_code, duration_ms, detail, finished_at) on mailpipe.attempts to mailpipe_worker;
create policy "a caller works on the attempts of its organization"
    on mailpipe.attempts
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around attempts"
    on mailpipe.attempts
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

create policy "a worker works on attempts"
    on mailpipe.attempts
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
