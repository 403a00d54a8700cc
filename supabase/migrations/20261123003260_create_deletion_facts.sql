-- What: what a deletion would take, and its receipt.
-- Why: whoever confirms has seen the counts; a receipt holds numbers and times, and nothing about anybody.
-- Locks: none on existing objects.

create function mailpipe.count_organization(p_organization_id text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'members', (select count(*) from mailpipe.members where organization_id = p_organization_id),
        'api_keys', (select count(*) from mailpipe.api_keys where organization_id = p_organization_id),
        'providers', (select count(*) from mailpipe.providers where organization_id = p_organization_id),
        'webhook_endpoints', (select count(*) from mailpipe.webhook_endpoints where organization_id = p_organization_id),
        'mailboxes', (select count(*) from mailpipe.mailboxes where organization_id = p_organization_id),
        'messages', (select count(*) from mailpipe.messages where organization_id = p_organization_id),
        'attachments', (select count(*) from mailpipe.attachments where organization_id = p_organization_id),
        'events', (select count(*) from mailpipe.events where organization_id = p_organization_id)
    );
$$;

revoke execute on function mailpipe.count_organization(text) from public, anon, authenticated;
-- Granted to nobody: only counting for a deletion asks.

-- A message's files and events are counted with it; of very many, only the messages, for that takes an index alone.
create function mailpipe.count_messages(p_organization_id text, p_ids text[])
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object('messages', cardinality(p_ids)) || case
        when cardinality(p_ids) > 1000 then '{}'
        else jsonb_build_object(
            'attachments', (
                select count(*)
                from mailpipe.attachments as file
                where file.organization_id = p_organization_id
                    and file.environment in ('live', 'test')
                    and file.message_id = any (p_ids)
            ),
            'events', (
                select count(*)
                from mailpipe.events as event
                where event.organization_id = p_organization_id
                    and event.environment in ('live', 'test')
                    and event.message_id = any (p_ids)
            )
        )
    end;
$$;

revoke execute on function mailpipe.count_messages(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only counting for a deletion asks.

-- Of the pinned organization only, whatever the caller names.
create function mailpipe.deletion_counts(p_deletion mailpipe.deletions)
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_deletion.organization_id is distinct from current_setting('mailpipe.organization_id', true) then null
        when p_deletion.what = 'organization' then mailpipe.count_organization(p_deletion.organization_id)
        else mailpipe.count_messages(p_deletion.organization_id, mailpipe.messages_meant(p_deletion, null))
    end;
$$;

revoke execute on function mailpipe.deletion_counts(mailpipe.deletions) from public, anon, authenticated;
grant execute on function mailpipe.deletion_counts(mailpipe.deletions) to mailpipe_tenant;

create function mailpipe.show_receipt(p_deletion mailpipe.deletions)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_deletion.id,
        'what', p_deletion.what,
        'environment', case when p_deletion.what in ('message', 'mailbox') then p_deletion.environment end,
        'state', p_deletion.state,
        'counts', p_deletion.counts,
        'removed', p_deletion.removed,
        'undo_until', case when p_deletion.state = 'waiting' then mailpipe.rfc3339(p_deletion.due_at) end,
        'created_at', mailpipe.rfc3339(p_deletion.created_at),
        'finished_at', mailpipe.rfc3339(p_deletion.finished_at),
        'backups', concat(
            'Backups of this project taken before ', coalesce(mailpipe.rfc3339(p_deletion.finished_at), 'it is done'),
            ' still hold what was deleted, and open in this project, until they age out.',
            case
                when p_deletion.what in ('message', 'mailbox')
                then ' So do exports from before, until their seven days are over.'
            end
        )
    );
$$;

revoke execute on function mailpipe.show_receipt(mailpipe.deletions) from public, anon, authenticated;
grant execute on function mailpipe.show_receipt(mailpipe.deletions) to mailpipe_tenant;

-- The receipt of whoever holds the token, also when the organization is gone.
create function mailpipe.receipt_of(p_confirm_hash text)
returns mailpipe.deletions
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select asked.*
    from mailpipe.deletions as asked
    where asked.confirm_hash = decode(p_confirm_hash, 'hex')
        and asked.state <> 'asked';
$$;

revoke execute on function mailpipe.receipt_of(text) from public, anon, authenticated;
grant execute on function mailpipe.receipt_of(text) to mailpipe_tenant;
