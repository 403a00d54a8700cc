-- What: recipients of messages.
-- Why: what became of a mail is kept for each address.
-- Locks: none on existing objects.

create table mailpipe.recipients (
    organization_id text collate "C" not null,
    environment text not null,
    message_id text collate "C" not null,
    position int not null,
    kind text not null,
    email text not null,
    name text,
    status text not null,
    reason text,
    updated_at timestamptz not null default mailpipe.clock(),
    constraint recipients_pkey primary key (organization_id, environment, message_id, position),
    constraint recipients_message foreign key (organization_id, environment, message_id)
        references mailpipe.messages (organization_id, environment, id) on delete cascade,
    constraint recipients_kind_known check (kind in ('to', 'cc', 'bcc')),
    constraint recipients_status_known check (status in (
        'queued', 'sending', 'unknown', 'sent', 'deferred', 'failed', 'delivered', 'bounced', 'complained',
        'suppressed', 'cancelled', 'received'
    ))
);

create index recipients_by_address on mailpipe.recipients (organization_id, environment, lower(email));

alter table mailpipe.recipients enable row level security;
alter table mailpipe.recipients force row level security;
grant select, insert on mailpipe.recipients to mailpipe_tenant, mailpipe_worker;
grant update (status, reason, updated_at) on mailpipe.recipients to mailpipe_worker;
create policy "a caller works on the recipients of its organization"
    on mailpipe.recipients
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around recipients"
    on mailpipe.recipients
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

create policy "a worker works on recipients"
    on mailpipe.recipients
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
