-- What: mailboxes (addresses that receive) and threads.
-- Why: inbound mail is attached to a mailbox and a thread of the connection's own organization and environment.
-- Locks: none on existing objects.

create table mailpipe.mailboxes (
    id text collate "C" not null default mailpipe.new_id('mbx'),
    organization_id text collate "C" not null,
    environment text not null,
    address text not null,
    display_name text,
    forward_to_webhook boolean not null default true,
    created_at timestamptz not null default mailpipe.clock(),
    constraint mailboxes_pkey primary key (id),
    constraint mailboxes_tenant unique (organization_id, environment, id),
    constraint mailboxes_address_unique unique (organization_id, environment, address),
    constraint mailboxes_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint mailboxes_environment_known check (environment in ('live', 'test')),
    constraint mailboxes_address_folded check (address = lower(address) and char_length(address) <= 254),
    constraint mailboxes_display_name_length check (char_length(display_name) <= 256)
);

create index mailboxes_newest on mailpipe.mailboxes (organization_id, environment, created_at desc, id desc);

alter table mailpipe.mailboxes enable row level security;
alter table mailpipe.mailboxes force row level security;
grant select, insert, delete on mailpipe.mailboxes to mailpipe_tenant;
grant update (display_name, forward_to_webhook) on mailpipe.mailboxes to mailpipe_tenant;
grant select on mailpipe.mailboxes to mailpipe_worker;
create policy "a caller works on the mailboxes of its organization"
    on mailpipe.mailboxes
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around mailboxes"
    on mailpipe.mailboxes
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

create policy "a key for some mailboxes reaches these alone"
    on mailpipe.mailboxes
    as restrictive
    for all
    to mailpipe_tenant
    using (
        (select coalesce(current_setting('mailpipe.mailboxes', true), '') = '')
        or id = any (string_to_array((select current_setting('mailpipe.mailboxes', true)), ' '))
    )
    with check (
        (select coalesce(current_setting('mailpipe.mailboxes', true), '') = '')
        or id = any (string_to_array((select current_setting('mailpipe.mailboxes', true)), ' '))
    );

create policy "a worker works on mailboxes"
    on mailpipe.mailboxes
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');

create table mailpipe.threads (
    id text collate "C" not null default mailpipe.new_id('thr'),
    organization_id text collate "C" not null,
    environment text not null,
    subject_key text not null,
    participants text[] not null,
    message_count int not null default 0,
    last_message_at timestamptz not null default mailpipe.clock(),
    created_at timestamptz not null default mailpipe.clock(),
    constraint threads_pkey primary key (id),
    constraint threads_tenant unique (organization_id, environment, id),
    constraint threads_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint threads_environment_known check (environment in ('live', 'test')),
    constraint threads_subject_key_length check (char_length(subject_key) <= 998)
);

create index threads_newest on mailpipe.threads (organization_id, environment, last_message_at desc, id desc);
create index threads_by_subject on mailpipe.threads (organization_id, environment, md5(subject_key));

alter table mailpipe.threads enable row level security;
alter table mailpipe.threads force row level security;
grant select, insert on mailpipe.threads to mailpipe_tenant, mailpipe_worker;
grant update (participants, message_count, last_message_at) on mailpipe.threads to mailpipe_tenant, mailpipe_worker;
create policy "a caller works on the threads of its organization"
    on mailpipe.threads
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around threads"
    on mailpipe.threads
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

create policy "a worker works on threads"
    on mailpipe.threads
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
