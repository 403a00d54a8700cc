-- What: what one step of a deletion does to messages, a person's traces, raw requests and copies.
-- Why: rows go first, then the objects nothing points at, which are on record until they are gone.
-- Locks: none on existing objects.

-- A message's or a mailbox's messages, or a person's by address: 200 at once, until none is left.
create function mailpipe.delete_meant(p_deletion mailpipe.deletions)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    meant constant text[] := mailpipe.messages_meant(p_deletion, 200);
    objects constant text[] := mailpipe.remove_messages(p_deletion.organization_id, meant);
    held boolean := exists (
        select
        from mailpipe.messages as message
        where message.id = any (meant)
    );
begin
    if p_deletion.what = 'mailbox' and meant = '{}' then
        delete from mailpipe.mailboxes
        where id = p_deletion.subject;
    end if;
    return jsonb_build_object(
        'stage', case
            when meant <> '{}' then 'messages'
            when p_deletion.what = 'person' then 'sweep messages'
            else 'copies'
        end,
        'objects', objects,
        -- A worker holds one of them: its outcome is waited for.
        'wait', held,
        'removed', jsonb_build_object('messages', cardinality(meant) - (
            select count(*)
            from mailpipe.messages as message
            where message.id = any (meant)
        ))
    );
end;
$$;

revoke execute on function mailpipe.delete_meant(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.

-- One page of one table is looked through for a person.
create function mailpipe.delete_traces(p_deletion mailpipe.deletions, p_place jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    this constant text := split_part(p_place ->> 'stage', ' ', 2);
    found_ones constant jsonb := mailpipe.mentioned_in(this, p_deletion, nullif(p_place -> 'after', 'null'));
    after constant jsonb := nullif(found_ones -> 'after', 'null');
begin
    return mailpipe.forget(this, p_deletion, found_ones -> 'places') || jsonb_build_object(
        'stage', case
            when after is not null then p_place ->> 'stage'
            else coalesce('sweep ' || mailpipe.next_swept(this), 'raw')
        end,
        'after', after
    );
end;
$$;

revoke execute on function mailpipe.delete_traces(mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.

-- Raw bytes are read by the worker, fifty at a time; those found to have the address go, their messages stay.
create function mailpipe.delete_raw(p_deletion mailpipe.deletions, p_after text, p_found text[])
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    next_ones constant jsonb := (
        select jsonb_agg(jsonb_build_object('id', page.id, 'storage_key', page.storage_key) order by page.id)
        from (
            select request.id, request.storage_key
            from mailpipe.inbound_requests as request
            where request.organization_id = p_deletion.organization_id
                and request.processed_at is not null
                and request.id > coalesce(p_after, '')
                and mailpipe.is_stored(request.storage_key)
            order by request.id
            limit 50
        ) as page
    );
begin
    return jsonb_build_object(
        'stage', case when next_ones is null then 'copies' else 'raw' end,
        'after', next_ones -> -1 ->> 'id',
        'inspect', next_ones,
        'address', case when next_ones is not null then p_deletion.subject end,
        'objects', mailpipe.remove_requests(p_deletion.organization_id, p_found),
        'removed', jsonb_build_object('inbound_requests', coalesce(cardinality(p_found), 0))
    );
end;
$$;

revoke execute on function mailpipe.delete_raw(mailpipe.deletions, text, text[]) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.

-- Exports hold copies of a person: finished ones go, and one that runs begins anew.
create function mailpipe.delete_copies(p_deletion mailpipe.deletions)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    gone int;
    keys text[];
begin
    if p_deletion.what <> 'person' then
        return '{"stage": "done", "objects": [], "removed": {}}';
    end if;
    with removed as (
        delete from mailpipe.export_parts
        where organization_id = p_deletion.organization_id
        returning storage_key
    )
    select array_agg(removed.storage_key)
    into keys
    from removed;
    delete from mailpipe.exports
    where organization_id = p_deletion.organization_id
        and finished_at is not null;
    get diagnostics gone = row_count;
    update mailpipe.jobs
    set
        cursor = '{"stage": "organizations"}', fence = fence + 1, due_at = mailpipe.clock(), lease_until = null
    where organization_id = p_deletion.organization_id
        and kind = 'export_data';
    return jsonb_build_object(
        'stage', 'done',
        'objects', mailpipe.unreferenced(keys),
        'removed', jsonb_build_object('exports', gone)
    );
end;
$$;

revoke execute on function mailpipe.delete_copies(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.
