-- What: what a signed-in member may read of its organization's mail, once the customer opts in.
-- Why: the policies ship with the schema, the grants do not: supabase/install/expose-to-browsers.sql gives them.
-- Locks: none on existing objects.

-- Every policy below reads this table as the member: its own rows, live, and no helper function. So this is the one
-- place that refuses anonymous users, and a removal counts at the next call. The roles each policy names are those
-- whose scopes (mailpipe.role_scopes) let them read the same through the API.
create policy "a member reads its own memberships, an anonymous user none"
    on mailpipe.members
    for select
    to authenticated
    using (
        user_id = (select auth.uid())
        and (select auth.jwt()) ->> 'is_anonymous' is distinct from 'true'
    );

create policy "a member reads the row of its organization"
    on mailpipe.organizations
    for select
    to authenticated
    using (
        id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
    );

create policy "a member reads the mailboxes of its organization"
    on mailpipe.mailboxes
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
    );

create policy "a member reads the threads of its organization"
    on mailpipe.threads
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
    );

create policy "a member reads the messages of its organization"
    on mailpipe.messages
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
    );

create policy "a member reads the recipients of its organization"
    on mailpipe.recipients
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
    );

create policy "a member reads the attachments of its organization"
    on mailpipe.attachments
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
    );
