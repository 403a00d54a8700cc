-- What: an organization's files as an export takes them.
-- Why: they lie in the bucket already: a part points at each, and no byte is copied.
-- Locks: none on existing objects.

create function mailpipe.next_attachments(p_organization_id text, p_after jsonb)
returns setof mailpipe.attachments
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select file.*
    from mailpipe.attachments as file
    where file.organization_id = p_organization_id
        and (file.environment, file.message_id, file.position, file.id) > (
            coalesce(p_after ->> 'environment', ''), coalesce(p_after ->> 'message_id', ''),
            coalesce((p_after ->> 'position')::int, -1), coalesce(p_after ->> 'id', '')
        )
    order by file.environment, file.message_id, file.position, file.id
    limit 1000;
$$;

revoke execute on function mailpipe.next_attachments(text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.next_attachments(text, jsonb) to mailpipe_worker;

-- A file's name as the last step of a path: a mail may have named it anything.
create function mailpipe.path_step(p_name text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_name in ('', '.', '..') then '_'
        else regexp_replace(p_name, '[/\\[:cntrl:]]', '_', 'g')
    end;
$$;

revoke execute on function mailpipe.path_step(text) from public, anon, authenticated;
grant execute on function mailpipe.path_step(text) to mailpipe_worker;

-- The next 1,000 become parts. Returns where to go on, if there is more.
create function mailpipe.export_attachments(p_export mailpipe.exports, p_after jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    files constant mailpipe.attachments[] := array(
        select file
        from mailpipe.next_attachments(p_export.organization_id, p_after) as file
    );
    last constant mailpipe.attachments := files[cardinality(files)];
begin
    insert into mailpipe.export_parts (
        organization_id, export_id, number, kind, name, entries, size_bytes, sha256, storage_key
    )
    select
        p_export.organization_id, p_export.id,
        mailpipe.parts_of(p_export) + row_number() over (order by file.place), 'attachment',
        concat('attachments/', file.message_id, '/', file.id, '/', mailpipe.path_step(file.filename)), 1, file.size_bytes,
        file.sha256, file.storage_key
    from unnest(files) with ordinality as file (
        id, organization_id, environment, message_id, position, filename, content_type, content_id, size_bytes, sha256,
        storage_key, created_at, place
    )
    -- What is not there any more is named in the manifest.
    where mailpipe.is_stored(file.storage_key);
    return case
        when cardinality(files) = 1000 then jsonb_build_object(
            'environment', last.environment, 'message_id', last.message_id, 'position', last.position, 'id', last.id
        )
    end;
end;
$$;

revoke execute on function mailpipe.export_attachments(mailpipe.exports, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.export_attachments(mailpipe.exports, jsonb) to mailpipe_worker;
