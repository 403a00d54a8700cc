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
    places constant jsonb := found_ones -> 'places';
    objects constant text[] := mailpipe.forget(this, p_deletion, places);
    held constant boolean := this in ('messages', 'recipients', 'attachments') and exists (
        select
        from mailpipe.messages as message
        join jsonb_array_elements(places) as place
            on message.id = coalesce(place ->> 'message_id', place ->> 'id')
    );
    after constant jsonb := case when held then p_place -> 'after' else nullif(found_ones -> 'after', 'null') end;
begin
    return jsonb_build_object(
        'stage', case
            when held or after is not null then p_place ->> 'stage'
            else coalesce('sweep ' || mailpipe.next_swept(this), 'requests')
        end,
        'after', after,
        'objects', objects,
        'wait', held,
        'removed', jsonb_build_object(this, jsonb_array_length(places))
    );
end;
$$;

revoke execute on function mailpipe.delete_traces(mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.

-- Raw requests about no message we keep: nothing of ours can look into their bytes for a person.
create function mailpipe.delete_unmatched(p_deletion mailpipe.deletions)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    old constant text[] := array(
        select request.id
        from mailpipe.inbound_requests as request
        where request.organization_id = p_deletion.organization_id
            and request.processed_at is not null
            and request.message_ids = '{}'
        limit 500
    );
begin
    return jsonb_build_object(
        'stage', case when cardinality(old) = 500 then 'requests' else 'copies' end,
        'objects', mailpipe.remove_requests(p_deletion.organization_id, old),
        'removed', jsonb_build_object('inbound_requests', cardinality(old))
    );
end;
$$;

revoke execute on function mailpipe.delete_unmatched(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.

-- Finished exports hold copies.
create function mailpipe.delete_copies(p_deletion mailpipe.deletions)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    keys constant text[] := array(
        select part.storage_key
        from mailpipe.export_parts as part
        join mailpipe.exports as export on export.id = part.export_id
        where part.organization_id = p_deletion.organization_id
            and export.finished_at is not null
    );
    gone int;
begin
    delete from mailpipe.exports
    where organization_id = p_deletion.organization_id
        and finished_at is not null;
    get diagnostics gone = row_count;
    return jsonb_build_object(
        'stage', 'done',
        'objects', mailpipe.unreferenced(keys),
        'removed', jsonb_build_object('exports', gone)
    );
end;
$$;

revoke execute on function mailpipe.delete_copies(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.
