-- What: read_export_step and finish_export_step.
-- Why: one page is read, written as one part, and recorded with the place of the next, in that order.
-- Locks: none on existing objects.

-- What the next part is made of: { stage, number, lines | messages | manifest, after }.
create function mailpipe_api.read_export_step(p_caller jsonb, p_job_id text, p_fence bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    export mailpipe.exports := mailpipe.claimed_export(p_job_id, p_fence);
    place constant jsonb := (select job.cursor from mailpipe.jobs as job where job.id = p_job_id);
    stage constant text := place ->> 'stage';
    after constant jsonb := nullif(place -> 'after', 'null');
begin
    if export.id is null or mailpipe.gave_up(export, p_job_id, p_fence) then
        return '{"stage": "lost"}';
    end if;
    return jsonb_build_object('stage', stage, 'number', mailpipe.parts_of(export) + 1) || case stage
        when 'mail' then mailpipe.export_mail(export.organization_id, after)
        -- These become parts where they lie, in the transaction that finishes the step.
        when 'attachments as files' then '{}'
        when 'manifest' then jsonb_build_object('manifest', mailpipe.export_manifest(export), 'after', null)
        else mailpipe.export_page(stage, export.organization_id, after)
    end;
end;
$$;

revoke execute on function mailpipe_api.read_export_step(jsonb, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe_api.read_export_step(jsonb, text, bigint) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.read_export_step(jsonb, text, bigint) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;

-- As audit.sealed, to the endpoints of live: an export is of the whole organization.
create function mailpipe.tell_export_ready(p_export mailpipe.exports)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    shown constant jsonb := mailpipe.show_export(p_export);
begin
    perform mailpipe.emit_event(
        p_export.organization_id, 'live', 'export.ready', null,
        jsonb_build_object(
            'export_id', p_export.id,
            'parts', shown -> 'progress' -> 'parts',
            'size_bytes', shown -> 'progress' -> 'size_bytes',
            'expires_at', shown -> 'expires_at'
        ),
        true
    );
end;
$$;

revoke execute on function mailpipe.tell_export_ready(mailpipe.exports) from public, anon, authenticated;
grant execute on function mailpipe.tell_export_ready(mailpipe.exports) to mailpipe_worker;

-- Where the next step begins; the export is ready, and told of, when there is none.
create function mailpipe.advance_export(p_export mailpipe.exports, p_job mailpipe.jobs, p_after jsonb)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    stage constant text := p_job.cursor ->> 'stage';
    following constant text := case when p_after is null then mailpipe.next_stage(stage) else stage end;
    finished mailpipe.exports;
begin
    if following is not null then
        perform mailpipe.advance_job(
            p_job.id, p_job.fence, jsonb_build_object('stage', following, 'after', p_after)
        );
        return false;
    end if;
    update mailpipe.exports
    set finished_at = mailpipe.clock()
    where id = p_export.id
    returning *
    into finished;
    -- The job goes first: while it is there, the export is not done.
    perform mailpipe.finish_job(p_job.id, p_job.fence, null);
    perform mailpipe.tell_export_ready(finished);
    return true;
end;
$$;

revoke execute on function mailpipe.advance_export(mailpipe.exports, mailpipe.jobs, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.advance_export(mailpipe.exports, mailpipe.jobs, jsonb) to mailpipe_worker;

-- Records the part that was stored, if there is one, and where the next begins.
create function mailpipe_api.finish_export_step(
    p_caller jsonb,
    p_job_id text,
    p_fence bigint,
    p_part jsonb,
    p_after jsonb
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    export mailpipe.exports := mailpipe.claimed_export(p_job_id, p_fence);
    held constant mailpipe.jobs := (select job from mailpipe.jobs as job where job.id = p_job_id);
    after jsonb := p_after;
begin
    if export.id is null then
        return '{"accepted": false, "done": true}';
    end if;
    if held.cursor ->> 'stage' = 'attachments as files' then
        after := mailpipe.export_attachments(export, held.cursor -> 'after');
    end if;
    insert into mailpipe.export_parts (
        organization_id, export_id, number, kind, name, entries, size_bytes, sha256, storage_key
    )
    select
        export.organization_id, export.id, part.number, part.kind, part.name, part.entries, part.size_bytes, part.sha256,
        part.storage_key
    from jsonb_populate_record(null::mailpipe.export_parts, p_part) as part
    where p_part is not null;
    return jsonb_build_object('accepted', true, 'done', mailpipe.advance_export(export, held, after));
end;
$$;

revoke execute on function mailpipe_api.finish_export_step(jsonb, text, bigint, jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_export_step(jsonb, text, bigint, jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_export_step(jsonb, text, bigint, jsonb, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
