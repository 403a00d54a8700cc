-- What: connected sending accounts with their sealed credentials and inbound tokens.
-- Why: a credential is written by callers, opened by workers, and shown to nobody.
-- Locks: none on existing objects.

create table mailpipe.providers (
    id text collate "C" not null default mailpipe.new_id('prv'),
    organization_id text collate "C" not null,
    environment text not null,
    kind text not null,
    name text not null,
    is_default boolean not null,
    credentials bytea,
    inbound_token_hash bytea,
    inbound_secret bytea,
    -- A removed connection keeps its row, because messages name it, and nothing else.
    removed_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint providers_pkey primary key (id),
    constraint providers_tenant unique (organization_id, environment, id),
    constraint providers_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint providers_environment_known check (environment in ('live', 'test')),
    constraint providers_kind_shape check (kind ~ '^[a-z0-9_]{2,32}$'),
    constraint providers_name_length check (char_length(name) between 1 and 200),
    constraint providers_credentials_aes256 check (get_byte(credentials, 3) = 9 and get_byte(credentials, 4) = 1),
    constraint providers_inbound_secret_aes256 check (get_byte(inbound_secret, 3) = 9 and get_byte(inbound_secret, 4) = 1),
    constraint providers_inbound_token_is_sha256 check (octet_length(inbound_token_hash) = 32),
    constraint providers_inbound_token_unique unique (inbound_token_hash),
    constraint providers_removed_keeps_no_secret check (
        (removed_at is null and credentials is not null and inbound_token_hash is not null)
        or (
            removed_at is not null
            and credentials is null
            and inbound_token_hash is null
            and inbound_secret is null
            and not is_default
        )
    )
);

create unique index providers_one_default on mailpipe.providers (organization_id, environment) where is_default;
create index providers_newest on mailpipe.providers (organization_id, environment, created_at desc, id desc);

alter table mailpipe.providers enable row level security;
alter table mailpipe.providers force row level security;
grant select, insert on mailpipe.providers to mailpipe_tenant;
grant update (name, is_default, credentials, inbound_token_hash, inbound_secret, removed_at)
    on mailpipe.providers to mailpipe_tenant;
grant select on mailpipe.providers to mailpipe_worker;

create policy "a caller works on the providers of its organization"
    on mailpipe.providers
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around providers"
    on mailpipe.providers
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

create policy "a worker reads every provider, a connection its own"
    on mailpipe.providers
    for select
    to mailpipe_worker
    using (
        (select current_setting('mailpipe.worker', true)) = 'on'
        or id = (select current_setting('mailpipe.connection_id', true))
    );
