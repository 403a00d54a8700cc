-- What: exports and their parts.
-- Why: an owner leaves with everything; each part is an object in the private bucket, written once.
-- Locks: none on existing objects.

create table mailpipe.exports (
    id text collate "C" not null default mailpipe.new_id('exp'),
    organization_id text collate "C" not null,
    finished_at timestamptz,
    -- Finished without an end: a step was tried twenty times.
    failed boolean not null default false,
    created_at timestamptz not null default mailpipe.clock(),
    constraint exports_pkey primary key (id),
    constraint exports_tenant unique (organization_id, id),
    constraint exports_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade
);

create unique index exports_one_running on mailpipe.exports (organization_id) where finished_at is null;
create index exports_newest on mailpipe.exports (organization_id, created_at desc, id desc);

alter table mailpipe.exports enable row level security;
alter table mailpipe.exports force row level security;
grant select, insert on mailpipe.exports to mailpipe_tenant;
grant select, delete on mailpipe.exports to mailpipe_worker;
grant update (finished_at, failed) on mailpipe.exports to mailpipe_worker;

create policy "a caller works on the exports of its organization"
    on mailpipe.exports
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around exports"
    on mailpipe.exports
    as restrictive
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "a worker works on exports"
    on mailpipe.exports
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');

create table mailpipe.export_parts (
    organization_id text collate "C" not null,
    export_id text collate "C" not null,
    number int not null,
    kind text not null,
    -- The path it is saved under.
    name text not null,
    -- Rows of a table, messages of a mailbox file, or one file.
    entries int not null,
    size_bytes bigint not null,
    sha256 text not null,
    storage_key text not null,
    constraint export_parts_pkey primary key (organization_id, export_id, number),
    constraint export_parts_export foreign key (organization_id, export_id)
        references mailpipe.exports (organization_id, id) on delete cascade,
    constraint export_parts_kind_known check (kind in ('rows', 'mail', 'attachment', 'manifest')),
    constraint export_parts_sha256_hex check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint export_parts_key_is_the_tenants check (starts_with(storage_key, concat(organization_id, '/')))
);

create index export_parts_of_object on mailpipe.export_parts (storage_key);

alter table mailpipe.export_parts enable row level security;
alter table mailpipe.export_parts force row level security;
grant select on mailpipe.export_parts to mailpipe_tenant;
grant select, insert on mailpipe.export_parts to mailpipe_worker;

create policy "a caller works on the export parts of its organization"
    on mailpipe.export_parts
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around export parts"
    on mailpipe.export_parts
    as restrictive
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "a worker works on export parts"
    on mailpipe.export_parts
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
