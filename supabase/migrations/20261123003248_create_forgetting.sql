-- What: taking found traces of a person out of rows that stay.
-- Why: mail from and to the person is gone by now; what only names the person stays, without the name.
-- Locks: none on existing objects.

-- What a column becomes. Columns that are an address are another's by now.
create function mailpipe.redacted_columns(p_table text)
returns table (column_name text, expression text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select attribute.attname::text, case
        when attribute.attname = 'filename' then 'mailpipe.without_in_filename(held.filename, $2)'
        when attribute.atttypid = 'text[]'::regtype then format('mailpipe.without_in_list(held.%I, $2)', attname)
        when attribute.atttypid = 'jsonb'::regtype then format('mailpipe.without_in_json(held.%I, $2)', attname)
        else format('mailpipe.without(held.%I, $2)', attname)
    end
    from pg_attribute as attribute
    where attribute.attrelid = format('mailpipe.%I', p_table)::regclass
        and attribute.attnum > 0
        and attribute.attgenerated = ''
        and attribute.atttypid in ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype)
        and attribute.attname not in ('id', 'organization_id', 'environment', 'email', 'from_email', 'address')
        and attribute.attname <> all (mailpipe.swept(p_table));
$$;

revoke execute on function mailpipe.redacted_columns(text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.

-- Takes the address out of every column of these rows; returns the ids of those that had it.
create function mailpipe.redact(p_table text, p_deletion mailpipe.deletions, p_places jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    keys constant text := (select string_agg(format('%I', name), ', ') from unnest(mailpipe.swept(p_table)) as name);
    names text;
    expressions text;
    changed jsonb;
begin
    select string_agg(format('%I', redacted.column_name), ', '), string_agg(redacted.expression, ', ')
    into names, expressions
    from mailpipe.redacted_columns(p_table) as redacted;

    execute format(
        'with changed as ('
            'update mailpipe.%1$I as held set (%2$s) = row(%3$s) where held.%4$I = $1'
            ' and (%5$s) in (select %5$s from jsonb_populate_recordset(null::mailpipe.%1$I, $3))'
            ' and row(%2$s) is distinct from row(%3$s) returning to_jsonb(held) -> ''id'' as id'
            ') select coalesce(jsonb_agg(changed.id), ''[]'') from changed',
        p_table, names, expressions, case when p_table = 'organizations' then 'id' else 'organization_id' end, keys
    )
    into changed
    using p_deletion.organization_id, p_deletion.subject, p_places;
    return changed;
end;
$$;

revoke execute on function mailpipe.redact(text, mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only forgetting redacts.

-- Raw requests go with their bytes, and the messages they were about lose their raw mail; returns the objects.
create function mailpipe.remove_requests(p_organization_id text, p_ids text[])
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    keys text[];
    concerned text[];
begin
    with removed as (
        delete from mailpipe.inbound_requests as request
        where request.organization_id = p_organization_id
            and request.id = any (p_ids)
        returning request.storage_key, request.message_ids
    )
    select array_agg(removed.storage_key), array(select unnest(removed.message_ids) from removed)
    into keys, concerned
    from removed;

    update mailpipe.messages as message
    set raw_key = null
    where message.id = any (concerned);
    return mailpipe.unreferenced(keys);
end;
$$;

revoke execute on function mailpipe.remove_requests(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only forgetting removes them.

-- What becomes of rows of one table that may have the address: { objects, removed }. Raw bytes of what had it go.
create function mailpipe.forget(p_table text, p_deletion mailpipe.deletions, p_places jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    gone constant int := mailpipe.remove_addressed(p_table, p_deletion);
    changed constant jsonb := mailpipe.redact(p_table, p_deletion, p_places);
    raw constant text[] := array(
        select request.id
        from mailpipe.inbound_requests as request
        where request.organization_id = p_deletion.organization_id
            and (
                p_table = 'inbound_requests' and request.id in (select jsonb_array_elements_text(changed))
                or p_table = 'messages' and request.message_ids && array(select jsonb_array_elements_text(changed))
            )
    );
begin
    -- Its deliveries would go to another URL.
    if p_table = 'webhook_endpoints' then
        perform mailpipe.disable_redacted(array(select jsonb_array_elements_text(changed)));
    end if;
    return jsonb_build_object(
        'objects', mailpipe.remove_requests(p_deletion.organization_id, raw),
        'removed', jsonb_build_object(
            p_table, gone, 'redacted', jsonb_array_length(changed), 'inbound_requests', cardinality(raw)
        )
    );
end;
$$;

revoke execute on function mailpipe.forget(text, mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only deletions forget.
