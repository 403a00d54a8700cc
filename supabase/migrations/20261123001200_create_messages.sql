-- What: messages.
-- Why: one row a mail, in either direction.
-- Locks: none on existing objects.

create table mailpipe.messages (
    id text collate "C" not null default mailpipe.new_id('msg'),
    organization_id text collate "C" not null,
    environment text not null,
    direction text not null,
    status text not null,
    thread_id text collate "C" not null,
    mailbox_id text collate "C",
    provider_id text collate "C",
    api_key_id text collate "C",
    from_email text not null,
    from_name text,
    reply_to jsonb not null default '[]',
    subject text not null,
    snippet text not null default '',
    text_body text,
    html_body text,
    headers jsonb not null default '{}',
    tags text[] not null default '{}',
    metadata jsonb not null default '{}',
    -- RFC 5322 Message-ID without angle brackets: what a reply will cite.
    message_id_header text,
    in_reply_to text,
    reference_ids text[] not null default '{}',
    provider_message_id text,
    -- The Message-ID a provider put in place of ours, without angle brackets: its recipients cite that one.
    rewritten_message_id text,
    raw_key text,
    size_bytes bigint,
    defects text[] not null default '{}',
    is_read boolean not null default false,
    is_starred boolean not null default false,
    labels text[] not null default '{}',
    sent_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint messages_pkey primary key (id),
    constraint messages_tenant unique (organization_id, environment, id),
    constraint messages_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint messages_thread foreign key (organization_id, environment, thread_id)
        references mailpipe.threads (organization_id, environment, id),
    constraint messages_mailbox foreign key (organization_id, environment, mailbox_id)
        references mailpipe.mailboxes (organization_id, environment, id) on delete set null (mailbox_id),
    constraint messages_provider foreign key (organization_id, environment, provider_id)
        references mailpipe.providers (organization_id, environment, id),
    constraint messages_api_key foreign key (organization_id, environment, api_key_id)
        references mailpipe.api_keys (organization_id, environment, id),
    constraint messages_environment_known check (environment in ('live', 'test')),
    constraint messages_direction_known check (direction in ('inbound', 'outbound')),
    -- A live mail needs an account to go out through; a test one must not have any.
    constraint messages_test_has_no_provider check (
        direction = 'inbound'
        or (environment = 'test') = (provider_id is null)
    ),
    constraint messages_snippet_length check (char_length(snippet) <= 200)
);

create index messages_newest on mailpipe.messages (organization_id, environment, created_at desc, id desc);
create index messages_of_thread on mailpipe.messages (organization_id, environment, thread_id, created_at);
create index messages_of_mailbox
    on mailpipe.messages (organization_id, environment, mailbox_id, created_at desc, id desc);
create index messages_of_api_key on mailpipe.messages (organization_id, environment, api_key_id);
create index messages_of_object on mailpipe.messages (raw_key);
create index messages_cited on mailpipe.messages (organization_id, environment, message_id_header);
create index messages_cited_rewritten on mailpipe.messages (organization_id, environment, rewritten_message_id);
create index messages_by_sender on mailpipe.messages (organization_id, environment, lower(from_email));
create index messages_of_provider
    on mailpipe.messages (organization_id, environment, provider_id, provider_message_id);

alter table mailpipe.messages enable row level security;
alter table mailpipe.messages force row level security;
grant select, insert on mailpipe.messages to mailpipe_tenant, mailpipe_worker;
grant update (status, provider_message_id, rewritten_message_id, sent_at) on mailpipe.messages to mailpipe_worker;
create policy "a caller works on the messages of its organization"
    on mailpipe.messages
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around messages"
    on mailpipe.messages
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

-- The first line is one value for the planner, which takes it for even odds. A comparison it would take for one row in
-- 200, find fewer rows than a page has, and sort all of an organization's mail to list the newest 50.
create policy "a key for some mailboxes reaches their mail and what it sent itself"
    on mailpipe.messages
    as restrictive
    for all
    to mailpipe_tenant
    using (
        (select coalesce(current_setting('mailpipe.mailboxes', true), '') = '')
        or mailbox_id = any (string_to_array((select current_setting('mailpipe.mailboxes', true)), ' '))
        or api_key_id = (select current_setting('mailpipe.key_id', true))
    )
    with check (
        (select coalesce(current_setting('mailpipe.mailboxes', true), '') = '')
        or mailbox_id = any (string_to_array((select current_setting('mailpipe.mailboxes', true)), ' '))
        or api_key_id = (select current_setting('mailpipe.key_id', true))
    );

create policy "a worker works on messages"
    on mailpipe.messages
    for all
    to mailpipe_worker
    using ((select current_setting('mailpipe.worker', true)) = 'on')
    with check ((select current_setting('mailpipe.worker', true)) = 'on');
