-- What: how far an export is, and its manifest.
-- Why: progress is counted from the parts there are, so it is right after every crash.
-- Locks: none on existing objects.

create function mailpipe.parts_of(p_export mailpipe.exports)
returns int
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(max(part.number), 0)
    from mailpipe.export_parts as part
    where part.organization_id = p_export.organization_id
        and part.export_id = p_export.id;
$$;

revoke execute on function mailpipe.parts_of(mailpipe.exports) from public, anon, authenticated;
grant execute on function mailpipe.parts_of(mailpipe.exports) to mailpipe_worker;

create function mailpipe.export_progress(p_export mailpipe.exports)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'stage', coalesce(
            (
                select job.cursor ->> 'stage'
                from mailpipe.jobs as job
                where job.kind = 'export_data'
                    and job.subject_id = p_export.id
            ),
            'done'
        ),
        'rows', coalesce(sum(part.entries) filter (where part.kind = 'rows'), 0),
        'messages', coalesce(sum(part.entries) filter (where part.kind = 'mail'), 0),
        'attachments', count(*) filter (where part.kind = 'attachment'),
        'parts', count(*),
        'size_bytes', coalesce(sum(part.size_bytes), 0)
    )
    from mailpipe.export_parts as part
    where part.organization_id = p_export.organization_id
        and part.export_id = p_export.id;
$$;

revoke execute on function mailpipe.export_progress(mailpipe.exports) from public, anon, authenticated;
grant execute on function mailpipe.export_progress(mailpipe.exports) to mailpipe_tenant, mailpipe_worker;

-- Rows of each table in it; none is said as well.
create function mailpipe.exported_rows(p_export mailpipe.exports)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_object_agg(known.name, (
        select coalesce(sum(part.entries), 0)
        from mailpipe.export_parts as part
        where part.organization_id = p_export.organization_id
            and part.export_id = p_export.id
            and part.kind = 'rows'
            and split_part(part.name, '/', 2) = known.name
    ))
    from mailpipe.export_tables() as known;
$$;

revoke execute on function mailpipe.exported_rows(mailpipe.exports) from public, anon, authenticated;
grant execute on function mailpipe.exported_rows(mailpipe.exports) to mailpipe_worker;

-- Files whose bytes are not in the bucket any more, a thousand of them at most.
create function mailpipe.missing_files(p_organization_id text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_agg(lost.id), '[]')
    from (
        select file.id
        from mailpipe.attachments as file
        where file.organization_id = p_organization_id
            and not mailpipe.is_stored(file.storage_key)
        order by file.id
        limit 1000
    ) as lost;
$$;

revoke execute on function mailpipe.missing_files(text) from public, anon, authenticated;
grant execute on function mailpipe.missing_files(text) to mailpipe_worker;

create function mailpipe.export_manifest(p_export mailpipe.exports)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'format', 'mailpipe-export/1',
        'export_id', p_export.id,
        'organization_id', p_export.organization_id,
        'schema_version', mailpipe.schema_version(),
        'begun_at', mailpipe.rfc3339(p_export.created_at),
        'tables', mailpipe.exported_rows(p_export),
        'totals', mailpipe.export_progress(p_export) - 'stage' - 'parts',
        'left_out', (
            select jsonb_agg(concat(left_out.table_name, '.', left_out.column_name) order by left_out)
            from mailpipe.left_out_of_exports() as left_out
        ),
        'missing', mailpipe.missing_files(p_export.organization_id),
        'parts', (
            select coalesce(jsonb_agg(
                jsonb_build_object(
                    'name', part.name, 'entries', part.entries, 'size_bytes', part.size_bytes, 'sha256', part.sha256
                )
                order by part.number
            ), '[]')
            from mailpipe.export_parts as part
            where part.organization_id = p_export.organization_id
                and part.export_id = p_export.id
                -- Their sums are in the rows of the table attachments.
                and part.kind <> 'attachment'
        )
    );
$$;

revoke execute on function mailpipe.export_manifest(mailpipe.exports) from public, anon, authenticated;
grant execute on function mailpipe.export_manifest(mailpipe.exports) to mailpipe_worker;
