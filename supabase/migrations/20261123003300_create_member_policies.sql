-- What: what a signed-in member may read directly, once the customer opts in with a grant.
-- Why: the policies ship with the schema, the grants do not: without them these rows are out of reach.
-- Locks: none on existing objects.

create policy "a member reads the row of its organization"
    on mailpipe.organizations
    for select
    to authenticated
    using (
        id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

create policy "a member reads the mailboxes of its organization"
    on mailpipe.mailboxes
    for select
    to authenticated
    using (
        organization_id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

create policy "a member reads the threads of its organization"
    on mailpipe.threads
    for select
    to authenticated
    using (
        organization_id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

create policy "a member reads the messages of its organization"
    on mailpipe.messages
    for select
    to authenticated
    using (
        organization_id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

create policy "a member reads the recipients of its organization"
    on mailpipe.recipients
    for select
    to authenticated
    using (
        organization_id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

create policy "a member reads the attachments of its organization"
    on mailpipe.attachments
    for select
    to authenticated
    using (
        organization_id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

create policy "a member reads the events of its organization"
    on mailpipe.events
    for select
    to authenticated
    using (
        organization_id in (
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
        )
    );

-- The subselects above read this table as the member: its own rows, and no helper function.
create policy "a member reads its own memberships"
    on mailpipe.members
    for select
    to authenticated
    using (user_id = (select auth.uid()));
