-- What: which messages a deletion means.
-- Why: a first call counts them, and the work takes them in small steps.
-- Locks: none on existing objects.

-- Messages from or to an address, in both environments, up to p_limit of each.
create function mailpipe.messages_of_person(p_organization_id text, p_address text, p_limit int)
returns setof text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    (
        select message.id
        from mailpipe.messages as message
        where message.organization_id = p_organization_id
            and message.environment in ('live', 'test')
            and lower(message.from_email) = p_address
        limit p_limit
    )
    union
    (
        select recipient.message_id
        from mailpipe.recipients as recipient
        where recipient.organization_id = p_organization_id
            and recipient.environment in ('live', 'test')
            and lower(recipient.email) = p_address
        limit p_limit
    );
$$;

revoke execute on function mailpipe.messages_of_person(text, text, int) from public, anon, authenticated;
-- Granted to nobody: only deletions ask.

-- The next messages a deletion means by an index; all of them without a limit.
create function mailpipe.messages_meant(p_deletion mailpipe.deletions, p_limit int)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_deletion.what = 'person' then array(
            select mailpipe.messages_of_person(p_deletion.organization_id, p_deletion.subject, p_limit)
        )
        when p_deletion.what = 'mailbox' then array(
            select message.id
            from mailpipe.messages as message
            where message.organization_id = p_deletion.organization_id
                and message.environment = p_deletion.environment
                and message.mailbox_id = p_deletion.subject
            limit p_limit
        )
        else array(
            select message.id
            from mailpipe.messages as message
            where message.organization_id = p_deletion.organization_id
                and message.environment = p_deletion.environment
                and message.id = p_deletion.subject
        )
    end;
$$;

revoke execute on function mailpipe.messages_meant(mailpipe.deletions, int) from public, anon, authenticated;
-- Granted to nobody: only deletions ask.
