-- What: what one step of an organization's deletion does.
-- Why: small steps, each its own transaction, far below the eight seconds a statement has.
-- Locks: none on existing objects.

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

-- Removes up to 500 rows of one table, so that what cascades stays small as well; keys go at once, because they point at each other. Returns how many went.
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
    using p_organization_id, case when p_table = 'api_keys' then null else 500 end;
    get diagnostics gone = row_count;
    return gone;
end;
$$;

revoke execute on function mailpipe.remove_some(text, text) from public, anon, authenticated;
-- Granted to nobody: only deletions remove.

-- Tables one after the other, then the objects, five hundred at once.
create function mailpipe.delete_organization_step(p_deletion mailpipe.deletions, p_stage text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    tables constant text[] := mailpipe.tables_of_organization();
    objects text[] := '{}';
    removed jsonb := '{}';
    following text := p_stage;
begin
    if p_stage = 'close' then
        removed := mailpipe.count_people(p_deletion.organization_id);
        perform mailpipe.remove_counters(p_deletion.organization_id);
        perform mailpipe.close_organization(p_deletion);
        following := tables[1];
    elsif p_stage = any (tables) then
        removed := jsonb_build_object(p_stage, mailpipe.remove_some(p_stage, p_deletion.organization_id));
        if removed ->> p_stage = '0' then
            following := coalesce(tables[array_position(tables, p_stage) + 1], 'objects');
        end if;
    else
        objects := array(
            select object.name
            from storage.objects as object
            where object.bucket_id = 'mailpipe'
                and starts_with(object.name, p_deletion.organization_id || '/')
            limit 500
        );
        if objects = '{}' then
            following := 'done';
        end if;
    end if;
    return jsonb_build_object('stage', following, 'objects', objects, 'removed', removed);
end;
$$;

revoke execute on function mailpipe.delete_organization_step(mailpipe.deletions, text) from public, anon, authenticated;
-- Granted to nobody: only a step deletes.
