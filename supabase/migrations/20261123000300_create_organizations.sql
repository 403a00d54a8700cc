-- What: settings of the installation, organizations and their members.
-- Why: the organization is the tenant every other row belongs to.
-- Locks: a foreign key to auth.users takes a brief share row exclusive lock there.

create table mailpipe.settings (
    only_row boolean not null default true,
    -- In a host app any end user has a session, so founding organizations is closed until the operator opens it.
    organization_creation text not null default 'closed',
    -- Learnt from the functions' own environment; pg_cron wakes the workers there.
    functions_url text,
    -- Notices are mailed from this address, or not mailed at all.
    notify_from text,
    constraint settings_pkey primary key (only_row),
    constraint settings_one_row check (only_row),
    constraint settings_organization_creation_known check (organization_creation in ('open', 'closed'))
);

insert into mailpipe.settings default values;
alter table mailpipe.settings enable row level security;
alter table mailpipe.settings force row level security;

create table mailpipe.organizations (
    id text collate "C" not null default mailpipe.new_id('org'),
    name text not null,
    -- While this holds no mail is claimed; what is queued stays queued.
    sending_paused boolean not null default false,
    -- How long each kind is kept, in days; null keeps it for good. Of the audit log, whole sealed ranges.
    messages_retention_days int,
    raw_mail_retention_days int,
    events_retention_days int,
    attempts_retention_days int,
    audit_retention_days int,
    -- Accepted messages, set by the operator with mailpipe.set_tier(); null is no limit.
    per_second int,
    per_hour int,
    per_day int,
    created_at timestamptz not null default mailpipe.clock(),
    constraint organizations_pkey primary key (id),
    constraint organizations_name_length check (char_length(name) between 1 and 200),
    constraint organizations_retention_days check (
        least(messages_retention_days, raw_mail_retention_days, attempts_retention_days) > 0
        and greatest(messages_retention_days, raw_mail_retention_days, attempts_retention_days) <= 3650
    ),
    -- An event can be replayed for thirty days.
    constraint organizations_events_kept_30_days check (events_retention_days between 30 and 3650),
    constraint organizations_audit_kept_90_days check (audit_retention_days between 90 and 3650),
    constraint organizations_limits_positive check (least(per_second, per_hour, per_day) > 0)
);

alter table mailpipe.organizations enable row level security;
alter table mailpipe.organizations force row level security;

create table mailpipe.members (
    organization_id text collate "C" not null,
    user_id uuid not null,
    role text not null,
    created_at timestamptz not null default mailpipe.clock(),
    id text collate "C" not null default mailpipe.new_id('mem'),
    constraint members_pkey primary key (organization_id, user_id),
    constraint members_id_unique unique (id),
    constraint members_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint members_user foreign key (user_id)
        references auth.users (id) on delete cascade,
    constraint members_role_known check (role in ('owner', 'admin', 'member', 'viewer'))
);

create index members_of_user on mailpipe.members (user_id, role);
alter table mailpipe.members enable row level security;
alter table mailpipe.members force row level security;

grant select on mailpipe.organizations, mailpipe.members to mailpipe_tenant, mailpipe_worker;
grant update (
    name, sending_paused, messages_retention_days, raw_mail_retention_days, events_retention_days,
    attempts_retention_days, audit_retention_days
)
    on mailpipe.organizations to mailpipe_tenant;
grant delete on mailpipe.members to mailpipe_tenant;
grant update (role) on mailpipe.members to mailpipe_tenant;

-- A caller sees its own organization. A session that named none sees those it belongs to.
create policy "a caller sees the organization it is pinned to"
    on mailpipe.organizations
    for select
    to mailpipe_tenant
    using (
        id = (select current_setting('mailpipe.organization_id', true))
        or id in (
            select member.organization_id
            from mailpipe.members as member
            where member.user_id = (select nullif(current_setting('mailpipe.user_id', true), '')::uuid)
        )
    );

create policy "a caller changes the organization it is pinned to"
    on mailpipe.organizations
    for update
    to mailpipe_tenant
    using (id = (select current_setting('mailpipe.organization_id', true)))
    with check (id = (select current_setting('mailpipe.organization_id', true)));

create policy "a caller sees the members of its organization and its own memberships"
    on mailpipe.members
    for select
    to mailpipe_tenant
    using (
        organization_id = (select current_setting('mailpipe.organization_id', true))
        or user_id = (select nullif(current_setting('mailpipe.user_id', true), '')::uuid)
    );

create policy "a caller changes the members of its organization"
    on mailpipe.members
    for update
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "a caller removes members of its organization"
    on mailpipe.members
    for delete
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "a worker reads organizations"
    on mailpipe.organizations
    for select
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on');

create policy "a worker reads members"
    on mailpipe.members
    for select
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on');
