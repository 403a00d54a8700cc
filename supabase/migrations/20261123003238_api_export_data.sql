-- What: start_export and get_export.
-- Why: an owner, or a key that may, takes everything out at any time; one export of an organization at a time.
-- Locks: none on existing objects.

-- What concerns the whole organization is not a test key's to do, whatever its scopes.
create function mailpipe.assert_whole_organization(p_me mailpipe.caller)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_me.environment <> 'live' then
        raise sqlstate 'PT403' using message = 'live_required';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_whole_organization(mailpipe.caller) from public, anon, authenticated;
grant execute on function mailpipe.assert_whole_organization(mailpipe.caller) to mailpipe_tenant;

-- A finished export is kept for seven days.
create function mailpipe.show_export(p_export mailpipe.exports)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_export.id,
        'state', case
            when p_export.failed then 'failed'
            when p_export.finished_at is null then 'running'
            else 'ready'
        end,
        'progress', mailpipe.export_progress(p_export),
        'expires_at', mailpipe.rfc3339(p_export.finished_at + interval '7 days'),
        'created_at', mailpipe.rfc3339(p_export.created_at)
    );
$$;

revoke execute on function mailpipe.show_export(mailpipe.exports) from public, anon, authenticated;
grant execute on function mailpipe.show_export(mailpipe.exports) to mailpipe_tenant, mailpipe_worker;

create function mailpipe_api.start_export(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:export');
    made mailpipe.exports;
begin
    perform mailpipe.assert_whole_organization(me);

    insert into mailpipe.exports (organization_id)
    values (me.organization_id)
    on conflict (organization_id) where finished_at is null do nothing
    returning *
    into made;
    if made.id is null then
        raise sqlstate 'PT409' using message = 'export_running', detail = (
            select running.id
            from mailpipe.exports as running
            where running.finished_at is null
        );
    end if;

    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, cursor)
    values (me.organization_id, me.environment, 'export_data', made.id, '{"stage": "organizations"}');
    perform mailpipe.record_audit(me, 'data.export_started', made.id, '{}');
    return mailpipe.show_export(made);
end;
$$;

revoke execute on function mailpipe_api.start_export(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.start_export(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.start_export(jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- With the parts behind the cursor, which is the number of one, and one more than the limit; where they lie is for the
-- function to sign.
create function mailpipe_api.get_export(p_caller jsonb, p_id text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:export');
    place constant text := coalesce(p_request ->> 'cursor', '0');
    wanted mailpipe.exports;
begin
    perform mailpipe.assert_whole_organization(me);
    if place !~ '^[0-9]{1,9}$' then
        raise sqlstate 'PT400' using message = 'invalid_cursor';
    end if;

    select export.*
    into wanted
    from mailpipe.exports as export
    where export.id = p_id;
    if wanted.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'export';
    end if;

    return mailpipe.show_export(wanted) || jsonb_build_object('parts', (
        select coalesce(jsonb_agg(to_jsonb(part) - 'organization_id' - 'export_id' order by part.number), '[]')
        from (
            select ready.*
            from mailpipe.export_parts as ready
            where ready.export_id = wanted.id
                and wanted.finished_at is not null
                and not wanted.failed
                and ready.number > place::int
            order by ready.number
            limit (p_request ->> 'limit')::int + 1
        ) as part
    ));
end;
$$;

revoke execute on function mailpipe_api.get_export(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.get_export(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_export(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
