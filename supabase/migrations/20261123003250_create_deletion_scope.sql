-- What: which messages a deletion means.
-- Why: a first call counts them, and the work takes them in small steps.
-- Locks: none on existing objects.

-- The next 200 messages a deletion means by an index; a person's are those from or to the address.
create function mailpipe.messages_meant(p_deletion mailpipe.deletions, p_limit int)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select array(
        select message.id
        from mailpipe.messages as message
        where message.organization_id = p_deletion.organization_id
            and (
                p_deletion.what = 'message' and message.id = p_deletion.subject
                or p_deletion.what = 'mailbox' and message.mailbox_id = p_deletion.subject
            )
            and message.environment = p_deletion.environment
        limit p_limit
    ) || array(
        select message.id
        from mailpipe.messages as message
        where p_deletion.what = 'person'
            and message.organization_id = p_deletion.organization_id
            and message.environment in ('live', 'test')
            and lower(message.from_email) = p_deletion.subject
        limit p_limit
    ) || array(
        select distinct recipient.message_id
        from mailpipe.recipients as recipient
        where p_deletion.what = 'person'
            and recipient.organization_id = p_deletion.organization_id
            and recipient.environment in ('live', 'test')
            and lower(recipient.email) = p_deletion.subject
        limit p_limit
    );
$$;

revoke execute on function mailpipe.messages_meant(mailpipe.deletions, int) from public, anon, authenticated;
-- Granted to nobody: only deletions ask.
