-- What: the table of hashed API keys.
-- Why: a key is shown once and kept as SHA-256; tenant, environment, scopes and issuer never change.
-- Locks: a foreign key to auth.users takes a brief share row exclusive lock there.

create table mailpipe.api_keys (
    id text collate "C" not null default mailpipe.new_id('key'),
    organization_id text collate "C" not null,
    environment text not null,
    name text not null,
    hash bytea not null,
    last_four text not null,
    scopes text[] not null,
    issued_by_key text collate "C",
    issued_by_user uuid,
    expires_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint api_keys_pkey primary key (id),
    constraint api_keys_tenant unique (organization_id, environment, id),
    constraint api_keys_hash_unique unique (hash),
    constraint api_keys_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    -- Same organization and same environment: a test key cannot descend from a live one.
    constraint api_keys_issuer foreign key (organization_id, environment, issued_by_key)
        references mailpipe.api_keys (organization_id, environment, id),
    constraint api_keys_issuing_user foreign key (issued_by_user)
        references auth.users (id) on delete set null,
    constraint api_keys_environment_known check (environment in ('live', 'test')),
    constraint api_keys_name_length check (char_length(name) between 1 and 200),
    constraint api_keys_hash_is_sha256 check (octet_length(hash) = 32),
    constraint api_keys_last_four check (last_four ~ '^[0-9A-Za-z]{4}$'),
    constraint api_keys_scopes_count check (cardinality(scopes) between 1 and 32),
    constraint api_keys_expiry_after_issue check (expires_at > created_at)
);

create index api_keys_newest on mailpipe.api_keys (organization_id, environment, created_at desc, id desc);
create index api_keys_children on mailpipe.api_keys (organization_id, environment, issued_by_key);
create index api_keys_of_user on mailpipe.api_keys (issued_by_user);

alter table mailpipe.api_keys enable row level security;
alter table mailpipe.api_keys force row level security;
grant select, insert on mailpipe.api_keys to mailpipe_tenant;
grant update (revoked_at) on mailpipe.api_keys to mailpipe_tenant;

create policy "a caller works on the keys of its organization"
    on mailpipe.api_keys
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around keys"
    on mailpipe.api_keys
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
