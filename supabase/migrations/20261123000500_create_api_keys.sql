-- What: the table of hashed API keys.
-- Why: a key is shown once and kept as SHA-256; our roles add rows and read them, and change none: a key falls,
-- ends or is marked only through the definer functions that follow.
-- Locks: a foreign key to auth.users takes a brief share row exclusive lock there.

create table mailpipe.api_keys (
    id text collate "C" not null default mailpipe.new_id('key'),
    organization_id text collate "C" not null,
    environment text not null,
    name text not null,
    hash bytea not null,
    last_four text not null,
    scopes text[] not null,
    -- Fences: null is none, and an empty one would let nothing through.
    sending_domains text[],
    mailboxes text[] collate "C",
    recipient_domains text[],
    ip_ranges cidr[],
    -- Limits as they show; limited_by names the keys whose windows a request takes from: this one, if it has limits
    -- of its own, and those it descends from. Successors go on in the windows of the key they replace.
    per_minute int,
    per_day int,
    limited_by text[] collate "C" not null default '{}',
    window_id text collate "C" not null,
    issued_by_key text collate "C",
    issued_by_user uuid,
    -- A successor: which key it replaces, and who rotated. Who rotates sees the plain key, as who issues does.
    replaces text collate "C",
    rotated_by_key text collate "C",
    rotated_by_user uuid,
    -- Issued and never handed out: whoever shows it found it where it was planted.
    honey boolean not null default false,
    honey_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    -- What it queued and was not begun is cancelled, now or when a worker comes to it.
    queue_cancelled boolean not null default false,
    exposed_at timestamptz,
    rotation_told_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint api_keys_pkey primary key (id),
    constraint api_keys_tenant unique (organization_id, environment, id),
    constraint api_keys_hash_unique unique (hash),
    constraint api_keys_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    -- Same organization and same environment: a test key cannot descend from a live one.
    constraint api_keys_issuer foreign key (organization_id, environment, issued_by_key)
        references mailpipe.api_keys (organization_id, environment, id),
    constraint api_keys_replaced foreign key (organization_id, environment, replaces)
        references mailpipe.api_keys (organization_id, environment, id),
    constraint api_keys_rotator foreign key (organization_id, environment, rotated_by_key)
        references mailpipe.api_keys (organization_id, environment, id),
    constraint api_keys_rotating_user foreign key (rotated_by_user)
        references auth.users (id) on delete set null,
    constraint api_keys_one_successor unique (organization_id, environment, replaces),
    constraint api_keys_issuing_user foreign key (issued_by_user)
        references auth.users (id) on delete set null,
    constraint api_keys_environment_known check (environment in ('live', 'test')),
    constraint api_keys_name_length check (char_length(name) between 1 and 200),
    constraint api_keys_hash_is_sha256 check (octet_length(hash) = 32),
    constraint api_keys_last_four check (last_four ~ '^[0-9A-Za-z]{4}$'),
    constraint api_keys_scopes_count check (cardinality(scopes) between 1 and 32),
    constraint api_keys_fences_not_empty check (
        least(
            cardinality(sending_domains), cardinality(mailboxes), cardinality(recipient_domains), cardinality(ip_ranges)
        ) > 0
    ),
    constraint api_keys_limits_positive check (least(per_minute, per_day) > 0),
    constraint api_keys_limited_by_16 check (cardinality(limited_by) <= 16),
    constraint api_keys_expiry_not_before_issue check (expires_at >= created_at)
);

create index api_keys_newest on mailpipe.api_keys (organization_id, environment, created_at desc, id desc);
create index api_keys_children on mailpipe.api_keys (organization_id, environment, issued_by_key);
create index api_keys_rotated on mailpipe.api_keys (organization_id, environment, rotated_by_key);
create index api_keys_of_user on mailpipe.api_keys (issued_by_user);
create index api_keys_rotated_by_user on mailpipe.api_keys (rotated_by_user);
-- Keys whose owner was not told yet that they are due: a handful, whatever the table's size.
create index api_keys_untold on mailpipe.api_keys (created_at) where rotation_told_at is null and revoked_at is null;
create index api_keys_exposed on mailpipe.api_keys (exposed_at) where rotation_told_at is null and revoked_at is null;

alter table mailpipe.api_keys enable row level security;
alter table mailpipe.api_keys force row level security;
grant select, insert on mailpipe.api_keys to mailpipe_tenant;
grant select (id, queue_cancelled) on mailpipe.api_keys to mailpipe_worker;

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

create policy "a worker reads keys"
    on mailpipe.api_keys
    for select
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on');
