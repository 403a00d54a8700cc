-- What: taking found traces of a person out.
-- Why: a row about the person goes; a row that only names the person stays, without the name.
-- Locks: none on existing objects.

-- Puts `[deleted]` in place of the address in every text column of these rows, and takes it out of every list of texts.
create function mailpipe.redact(p_table text, p_deletion mailpipe.deletions, p_places jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    key_columns constant text := (
        select string_agg(format('%I', column_name), ', ')
        from unnest(mailpipe.swept(p_table)) as column_name
    );
    changes constant text := (
        select string_agg(
            case
                when attribute.atttypid = 'text[]'::regtype then format('%1$I = array_remove(held.%1$I, $2)', attname)
                else format('%1$I = regexp_replace(held.%1$I, $3, ''[deleted]'', ''gi'')', attname)
            end,
            ', '
        )
        from pg_attribute as attribute
        where attribute.attrelid = format('mailpipe.%I', p_table)::regclass
            and attribute.attnum > 0
            and attribute.attgenerated = ''
            and attribute.atttypid in ('text'::regtype, 'text[]'::regtype)
            and attribute.attname not in ('id', 'organization_id', 'environment')
            and attribute.attname <> all (mailpipe.swept(p_table))
    );
begin
    execute format(
        'update mailpipe.%1$I as held set %2$s where held.%3$I = $1'
            ' and (%4$s) in (select %4$s from jsonb_populate_recordset(null::mailpipe.%1$I, $4))',
        p_table, changes, case when p_table = 'organizations' then 'id' else 'organization_id' end, key_columns
    )
    using p_deletion.organization_id, p_deletion.subject, mailpipe.address_pattern(p_deletion.subject), p_places;
end;
$$;

revoke execute on function mailpipe.redact(text, mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only forgetting redacts.

create function mailpipe.remove_rows(p_table text, p_organization_id text, p_places jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    key_columns constant text := (
        select string_agg(format('%I', column_name), ', ')
        from unnest(mailpipe.swept(p_table)) as column_name
    );
begin
    execute format(
        'delete from mailpipe.%1$I where organization_id = $1'
            ' and (%2$s) in (select %2$s from jsonb_populate_recordset(null::mailpipe.%1$I, $2))',
        p_table, key_columns
    )
    using p_organization_id, p_places;
end;
$$;

revoke execute on function mailpipe.remove_rows(text, text, jsonb) from public, anon, authenticated;
-- Granted to nobody: only forgetting removes by place.

create function mailpipe.remove_requests(p_organization_id text, p_ids text[])
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    keys text[];
begin
    with removed as (
        delete from mailpipe.inbound_requests as request
        where request.organization_id = p_organization_id
            and request.id = any (p_ids)
        returning request.storage_key
    )
    select array_agg(removed.storage_key)
    into keys
    from removed;
    return mailpipe.unreferenced(keys);
end;
$$;

revoke execute on function mailpipe.remove_requests(text, text[]) from public, anon, authenticated;
-- Granted to nobody: only forgetting and deletions remove.

-- What becomes of the rows of one table that have the address; returns objects to remove.
create function mailpipe.forget(p_table text, p_deletion mailpipe.deletions, p_places jsonb)
returns text[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    keys text[] := '{}';
begin
    case
        when p_places = '[]' then
            null;
        when p_table in ('messages', 'recipients', 'attachments') then
            keys := mailpipe.remove_messages(p_deletion.organization_id, array(
                select coalesce(place ->> 'message_id', place ->> 'id')
                from jsonb_array_elements(p_places) as place
            ));
        when p_table = 'inbound_requests' then
            keys := mailpipe.remove_requests(p_deletion.organization_id, array(
                select place ->> 'id'
                from jsonb_array_elements(p_places) as place
            ));
        when p_table in ('events', 'early_events', 'invitations', 'idempotency_records') then
            perform mailpipe.remove_dispatches(p_deletion.organization_id, array(
                select place ->> 'id'
                from jsonb_array_elements(p_places) as place
                where p_table = 'events'
            ));
            perform mailpipe.remove_rows(p_table, p_deletion.organization_id, p_places);
        else
            delete from mailpipe.mailboxes
            where p_table = 'mailboxes'
                and organization_id = p_deletion.organization_id
                and address = p_deletion.subject;
            perform mailpipe.redact(p_table, p_deletion, p_places);
    end case;
    return keys;
end;
$$;

revoke execute on function mailpipe.forget(text, mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only deletions forget.
