-- What: read_export_step and finish_export_step.
-- Why: one page is read, written as one part, and recorded with the place of the next, in that order.
-- Locks: none on existing objects.

-- The export a claim is for; none when the claim was lost or the export is gone.
create function mailpipe.claimed_export(p_job_id text, p_fence bigint)
returns mailpipe.exports
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select export.*
    from mailpipe.jobs as job
    join mailpipe.exports as export on export.id = job.subject_id
    where job.id = p_job_id
        and job.fence = p_fence
        and job.kind = 'export_data';
$$;

revoke execute on function mailpipe.claimed_export(text, bigint) from public, anon, authenticated;
grant execute on function mailpipe.claimed_export(text, bigint) to mailpipe_worker;

-- The stage after one: each table, then the mail, the attachments, the manifest; null behind that.
create function mailpipe.next_stage(p_stage text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        (
            select following.name
            from mailpipe.export_tables() as this
            join mailpipe.export_tables() as following on following.place = this.place + 1
            where this.name = p_stage
        ),
        case p_stage
            when 'mail' then 'attachments as files'
            when 'attachments as files' then 'manifest'
            when 'manifest' then null
            else 'mail'
        end
    );
$$;

revoke execute on function mailpipe.next_stage(text) from public, anon, authenticated;
grant execute on function mailpipe.next_stage(text) to mailpipe_worker;

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
    if export.id is null then
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
    stage constant text := (select job.cursor ->> 'stage' from mailpipe.jobs as job where job.id = p_job_id);
    after jsonb := p_after;
    following text;
begin
    if export.id is null then
        return '{"accepted": false, "done": true}';
    end if;
    if stage = 'attachments as files' then
        after := mailpipe.export_attachments(
            export, (select job.cursor -> 'after' from mailpipe.jobs as job where job.id = p_job_id)
        );
    end if;
    following := case when after is null then mailpipe.next_stage(stage) else stage end;
    insert into mailpipe.export_parts (
        organization_id, export_id, number, kind, name, entries, size_bytes, sha256, storage_key
    )
    select export.organization_id, export.id, part.number, part.kind, part.name, part.entries, part.size_bytes,
        part.sha256, part.storage_key
    from jsonb_populate_record(null::mailpipe.export_parts, p_part) as part
    where p_part is not null;

    if following is null then
        update mailpipe.exports set finished_at = mailpipe.clock() where id = export.id;
        perform mailpipe.finish_job(p_job_id, p_fence, null);
    else
        perform mailpipe.advance_job(
            p_job_id, p_fence, jsonb_build_object('stage', following, 'after', after)
        );
    end if;
    return jsonb_build_object('accepted', true, 'done', following is null);
end;
$$;

revoke execute on function mailpipe_api.finish_export_step(jsonb, text, bigint, jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_export_step(jsonb, text, bigint, jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_export_step(jsonb, text, bigint, jsonb, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
