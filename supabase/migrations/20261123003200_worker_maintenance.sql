-- What: run_maintenance, orphan objects, and the schema's version.
-- Why: what expires goes away in small batches.
-- Locks: none on existing objects.

create function mailpipe.schema_version()
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select '0.1.0';
$$;

revoke execute on function mailpipe.schema_version() from public, anon, authenticated;
grant execute on function mailpipe.schema_version() to mailpipe_tenant, mailpipe_worker;

create function mailpipe_api.run_maintenance(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    expired bigint;
begin
    -- 1,000 rows a call keep it far below the eight seconds a statement has.
    with expired_records as (
        select record.organization_id, record.environment, record.key
        from mailpipe.idempotency_records as record
        where record.expires_at <= mailpipe.clock()
        limit 1000
    )
    delete from mailpipe.idempotency_records as record
    using expired_records
    where record.organization_id = expired_records.organization_id
        and record.environment = expired_records.environment
        and record.key = expired_records.key
        and record.expires_at <= mailpipe.clock();
    get diagnostics expired = row_count;
    return jsonb_build_object(
        'idempotency_records', expired,
        'used_keys', mailpipe.flush_usage(),
        'rate_windows', mailpipe.keep_windows(),
        'keys_due', mailpipe.tell_keys_due(),
        'sealed_ranges', mailpipe.seal_audit(),
        'dropped_ranges', mailpipe.drop_audit(),
        'messages', mailpipe.keep_messages(),
        'raw_mail', mailpipe.keep_raw_mail(),
        'events', mailpipe.keep_events(),
        'attempts', mailpipe.keep_attempts(),
        'copies', mailpipe.copies_over(),
        'removed_deliveries', mailpipe.clear_removed_endpoints()
    );
end;
$$;

revoke execute on function mailpipe_api.run_maintenance(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.run_maintenance(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.run_maintenance(jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;

-- Objects no row points at. A day's grace since they were last written, because bytes come before their row and the
-- same bytes may be written again.
create function mailpipe.orphan_objects()
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select object.name
    from storage.objects as object
    where object.bucket_id = 'mailpipe'
        and object.updated_at < mailpipe.clock() - interval '1 day'
        and not exists (
            select
            from mailpipe.attachments as attachment
            where attachment.storage_key = object.name
        )
        and not exists (
            select
            from mailpipe.inbound_requests as request
            where request.storage_key = object.name
        )
        and not exists (
            select
            from mailpipe.messages as message
            where message.raw_key = object.name
        )
        and not exists (
            select
            from mailpipe.export_parts as part
            where part.storage_key = object.name
        )
    limit 100;
$$;

revoke execute on function mailpipe.orphan_objects() from public, anon, authenticated;
grant execute on function mailpipe.orphan_objects() to mailpipe_worker;

create function mailpipe_api.list_orphan_objects(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
begin
    return (
        select coalesce(jsonb_agg(orphan), '[]')
        from mailpipe.orphan_objects() as orphan
    );
end;
$$;

revoke execute on function mailpipe_api.list_orphan_objects(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_orphan_objects(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.list_orphan_objects(jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
