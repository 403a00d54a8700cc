-- What: attachments of messages.
-- Why: rows keep the facts of a file; its bytes lie in the private bucket under their hash.
-- Locks: none on existing objects.

create table mailpipe.attachments (
    id text collate "C" not null default mailpipe.new_id('att'),
    organization_id text collate "C" not null,
    environment text not null,
    message_id text collate "C" not null,
    position int not null,
    filename text not null,
    content_type text not null,
    content_id text,
    size_bytes bigint not null,
    sha256 text not null,
    storage_key text not null,
    created_at timestamptz not null default mailpipe.clock(),
    constraint attachments_pkey primary key (id),
    constraint attachments_message foreign key (organization_id, environment, message_id)
        references mailpipe.messages (organization_id, environment, id) on delete cascade,
    constraint attachments_sha256_hex check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint attachments_key_is_the_tenants check (
        storage_key = concat(organization_id, '/', environment, '/', sha256)
    )
);

create index attachments_of_message on mailpipe.attachments (organization_id, environment, message_id, position);
create index attachments_of_object on mailpipe.attachments (storage_key);

alter table mailpipe.attachments enable row level security;
alter table mailpipe.attachments force row level security;
grant select, insert on mailpipe.attachments to mailpipe_tenant, mailpipe_worker;
create policy "a caller works on the attachments of its organization"
    on mailpipe.attachments
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around attachments"
    on mailpipe.attachments
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

create policy "a worker works on attachments"
    on mailpipe.attachments
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
