-- What: what a signed-in member may read of events, attempts, webhooks, keys, accounts and the audit log.
-- Why: as for mail: policies without grants; the roles named are those that read the same through the API.
-- Locks: none on existing objects.

-- What happened to a mail is for who reads mail. Other events tell of keys and of the audit log.
create policy "a member reads events of mail, an admin every event"
    on mailpipe.events
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
        and (
            message_id is not null
            or organization_id = any (array(
                select own.organization_id
                from mailpipe.members as own
                where own.user_id = (select auth.uid())
                    and own.role in ('owner', 'admin')
            ))
        )
    );

create policy "a member reads tries of mail, who reads webhooks every try"
    on mailpipe.attempts
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'member', 'viewer')
        ))
        and (
            message_id is not null
            or organization_id = any (array(
                select own.organization_id
                from mailpipe.members as own
                where own.user_id = (select auth.uid())
                    and own.role in ('owner', 'admin', 'viewer')
            ))
        )
    );

create policy "who reads webhooks reads the endpoints of its organization"
    on mailpipe.webhook_endpoints
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'viewer')
        ))
    );

create policy "who reads webhooks reads the deliveries of its organization"
    on mailpipe.deliveries
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin', 'viewer')
        ))
    );

create policy "an admin reads the keys of its organization"
    on mailpipe.api_keys
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin')
        ))
    );

create policy "an admin reads the usage of the keys of its organization"
    on mailpipe.key_usage
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin')
        ))
    );

create policy "an admin reads the providers of its organization"
    on mailpipe.providers
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role in ('owner', 'admin')
        ))
    );

create policy "an owner reads the audit log of its organization"
    on mailpipe.audit
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role = 'owner'
        ))
    );

create policy "an owner reads the audit seals of its organization"
    on mailpipe.audit_seals
    for select
    to authenticated
    using (
        organization_id = any (array(
            select own.organization_id
            from mailpipe.members as own
            where own.user_id = (select auth.uid())
                and own.role = 'owner'
        ))
    );
