-- What: idempotency records.
-- Why: one Idempotency-Key means at most one message, decided in the transaction that stores the message.
-- Locks: none on existing objects.

create table mailpipe.idempotency_records (
    organization_id text collate "C" not null,
    environment text not null,
    -- SHA-256 of the Idempotency-Key as hex: a key may hold an address, and a record must not.
    key text collate "C" not null,
    -- SHA-256 of the validated body as jsonb, which compares by meaning: key order and spacing do not count.
    fingerprint bytea not null,
    answer jsonb,
    expires_at timestamptz not null,
    constraint idempotency_records_pkey primary key (organization_id, environment, key),
    constraint idempotency_records_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint idempotency_records_key_is_sha256 check (key ~ '^[0-9a-f]{64}$'),
    constraint idempotency_records_fingerprint_is_sha256 check (octet_length(fingerprint) = 32)
);

create index idempotency_records_expired on mailpipe.idempotency_records (expires_at);

alter table mailpipe.idempotency_records enable row level security;
alter table mailpipe.idempotency_records force row level security;
grant select, insert on mailpipe.idempotency_records to mailpipe_tenant;
grant update (fingerprint, answer, expires_at) on mailpipe.idempotency_records to mailpipe_tenant;
grant select, delete on mailpipe.idempotency_records to mailpipe_worker;
create policy "a caller works on the idempotency records of its organization"
    on mailpipe.idempotency_records
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around idempotency records"
    on mailpipe.idempotency_records
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

create policy "a worker works on idempotency records"
    on mailpipe.idempotency_records
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
