-- What: what one step of a deletion does: to messages, to a person's traces, to a whole organization.
-- Why: small steps, each its own transaction, far below the eight seconds a statement has.
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

-- What goes of an organization, in an order no foreign key minds; the organization itself goes last.
create function mailpipe.tables_of_organization()
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select array[
        'attempts', 'deliveries', 'events', 'attachments', 'recipients', 'messages', 'threads', 'early_events',
        'inbound_requests', 'idempotency_records', 'export_parts', 'exports', 'webhook_endpoints',
        'mailboxes', 'key_usage', 'api_keys', 'providers', 'audit', 'audit_seals', 'data_keys'
    ];
$$;

revoke execute on function mailpipe.tables_of_organization() from public, anon, authenticated;
-- Granted to nobody: only deletions ask.

-- Nobody gets in any more, by session, key or provider; nothing new is begun.
create function mailpipe.close_organization(p_organization_id text)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    delete from mailpipe.members where organization_id = p_organization_id;
    delete from mailpipe.invitations where organization_id = p_organization_id;
    update mailpipe.api_keys
    set revoked_at = mailpipe.clock()
    where organization_id = p_organization_id
        and revoked_at is null;
    update mailpipe.providers
    set
        removed_at = mailpipe.clock(), credentials = null, inbound_token_hash = null, inbound_secret = null,
        is_default = false
    where organization_id = p_organization_id
        and removed_at is null;
    update mailpipe.webhook_endpoints set enabled = false where organization_id = p_organization_id;
    delete from mailpipe.jobs where organization_id = p_organization_id and kind <> 'delete_data';
    delete from mailpipe.deletions
    where organization_id = p_organization_id
        and what <> 'organization'
        and state <> 'done';
    delete from mailpipe.key_uses using mailpipe.api_keys as key
    where key.organization_id = p_organization_id and key_uses.key_id = key.id;
    delete from mailpipe.rate_windows
    where subject_id = p_organization_id
        or subject_id in (select window_id from mailpipe.api_keys where organization_id = p_organization_id);
    delete from mailpipe.saved_windows
    where subject_id = p_organization_id
        or subject_id in (select window_id from mailpipe.api_keys where organization_id = p_organization_id);
$$;

revoke execute on function mailpipe.close_organization(text) from public, anon, authenticated;
-- Granted to nobody: only deletions close.

-- Removes up to 2,000 rows of one table; keys go at once, because they point at each other. Returns how many went.
create function mailpipe.remove_some(p_table text, p_organization_id text)
returns int
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    gone int;
begin
    execute format(
        'delete from mailpipe.%1$I where ctid = any (array('
            'select ctid from mailpipe.%1$I where organization_id = $1 limit $2))',
        p_table
    )
    using p_organization_id, case when p_table = 'api_keys' then null else 2000 end;
    get diagnostics gone = row_count;
    return gone;
end;
$$;

revoke execute on function mailpipe.remove_some(text, text) from public, anon, authenticated;
-- Granted to nobody: only deletions remove.
