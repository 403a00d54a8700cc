-- What: deletions: what was asked for, and the receipt that stays.
-- Why: nothing is deleted without a second call, and what is left says how much went, and nothing about whom.
-- Locks: none on existing objects.

create table mailpipe.deletions (
    id text collate "C" not null default mailpipe.new_id('del'),
    -- No foreign key: the receipt outlives the organization.
    organization_id text collate "C" not null,
    -- Of a person and of the organization: live, and what goes is of both.
    environment text not null,
    what text not null,
    -- An id, or a person's address. Gone when the deletion is done.
    subject text,
    state text not null default 'asked',
    -- SHA-256 of the token that confirms it and, later, shows its receipt.
    confirm_hash bytea not null,
    confirm_until timestamptz not null,
    counts jsonb not null,
    removed jsonb not null default '{}',
    -- Until then an organization's deletion can be undone.
    due_at timestamptz,
    -- Whether mail was paused before, for undoing.
    was_paused boolean not null default false,
    finished_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint deletions_pkey primary key (id),
    constraint deletions_confirm_unique unique (confirm_hash),
    constraint deletions_confirm_is_sha256 check (octet_length(confirm_hash) = 32),
    constraint deletions_environment_known check (environment in ('live', 'test')),
    constraint deletions_of_both_are_live check (environment = 'live' or what in ('message', 'mailbox')),
    constraint deletions_what_known check (what in ('message', 'mailbox', 'person', 'organization')),
    constraint deletions_state_known check (state in ('asked', 'waiting', 'running', 'done', 'undone')),
    constraint deletions_receipt_names_nobody check (state <> 'done' or (subject is null and finished_at is not null))
);

create index deletions_newest on mailpipe.deletions (organization_id, environment, created_at desc, id desc);
create index deletions_unconfirmed on mailpipe.deletions (confirm_until) where state = 'asked';
create unique index deletions_one_of_organization
    on mailpipe.deletions (organization_id)
    where what = 'organization' and state in ('waiting', 'running');

alter table mailpipe.deletions enable row level security;
alter table mailpipe.deletions force row level security;
grant select, insert on mailpipe.deletions to mailpipe_tenant;
grant update (state, due_at, was_paused) on mailpipe.deletions to mailpipe_tenant;
grant select, delete on mailpipe.deletions to mailpipe_worker;
grant update (state, subject, removed, finished_at) on mailpipe.deletions to mailpipe_worker;

create policy "a caller works on the deletions of its organization"
    on mailpipe.deletions
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around deletions"
    on mailpipe.deletions
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

create policy "a worker works on deletions"
    on mailpipe.deletions
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
