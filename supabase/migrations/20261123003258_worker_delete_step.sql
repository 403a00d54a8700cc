-- What: delete_organization_step and delete_step.
-- Why: one call does one step and says which objects are to be removed before the next.
-- Locks: none on existing objects.

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
        removed := jsonb_build_object(
            'members', (select count(*) from mailpipe.members where organization_id = p_deletion.organization_id),
            'invitations', (select count(*) from mailpipe.invitations where organization_id = p_deletion.organization_id)
        );
        perform mailpipe.close_organization(p_deletion.organization_id);
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

-- Two counts of removed things, added up by their names; what is none is left out.
create function mailpipe.added(p_one jsonb, p_other jsonb)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(jsonb_object_agg(counted.name, counted.number) filter (where counted.number > 0), '{}')
    from (
        select both_counts.key as name, sum(both_counts.value::bigint) as number
        from (
            select * from jsonb_each_text(p_one)
            union all
            select * from jsonb_each_text(p_other)
        ) as both_counts
        group by both_counts.key
    ) as counted;
$$;

revoke execute on function mailpipe.added(jsonb, jsonb) from public, anon, authenticated;
-- Granted to nobody: only deletions count.

-- The receipt names nobody. An organization goes with the job itself, and with its data key if that was still there.
create function mailpipe.finish_deletion(p_deletion mailpipe.deletions)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.deletions
    set
        state = 'done',
        subject = null,
        finished_at = mailpipe.clock()
    where id = p_deletion.id;
    delete from mailpipe.jobs
    where kind = 'delete_data'
        and subject_id = p_deletion.id;
    delete from mailpipe.organizations
    where p_deletion.what = 'organization'
        and id = p_deletion.organization_id;
end;
$$;

revoke execute on function mailpipe.finish_deletion(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only a step finishes.

create function mailpipe.take_deletion_step(p_job mailpipe.jobs)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    deletion mailpipe.deletions;
    stage constant text := p_job.cursor ->> 'stage';
    step jsonb;
begin
    select asked.*
    into deletion
    from mailpipe.deletions as asked
    where asked.id = p_job.subject_id
        and asked.state in ('waiting', 'running');

    if stage = 'done' then
        perform mailpipe.finish_deletion(deletion);
        return '{"done": true}';
    end if;
    step := case
        when deletion.what = 'organization' then mailpipe.delete_organization_step(deletion, stage)
        when stage = 'messages' then mailpipe.delete_meant(deletion)
        when stage like 'sweep %' then mailpipe.delete_traces(deletion, p_job.cursor)
        else mailpipe.delete_copies(deletion, stage)
    end;
    update mailpipe.deletions
    set
        state = 'running',
        removed = mailpipe.added(removed, (step -> 'removed') || jsonb_build_object(
            'objects', jsonb_array_length(coalesce(nullif(step -> 'objects', 'null'), '[]'))
        ))
    where id = deletion.id;
    perform mailpipe.advance_job(p_job.id, p_job.fence, step - 'removed' - 'wait');
    update mailpipe.jobs
    set due_at = mailpipe.clock() + interval '1 minute'
    where id = p_job.id
        and (step ->> 'wait')::boolean;
    return jsonb_build_object('done', false);
end;
$$;

revoke execute on function mailpipe.take_deletion_step(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.take_deletion_step(mailpipe.jobs) to mailpipe_worker;

create function mailpipe_api.delete_step(p_caller jsonb, p_job_id text, p_fence bigint)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    held mailpipe.jobs;
begin
    select job.*
    into held
    from mailpipe.jobs as job
    where job.id = p_job_id
        and job.fence = p_fence
        and job.kind = 'delete_data'
    for update;
    if held.id is null then
        return '{"done": true}';
    end if;
    return mailpipe.take_deletion_step(held);
end;
$$;

revoke execute on function mailpipe_api.delete_step(jsonb, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_step(jsonb, text, bigint) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.delete_step(jsonb, text, bigint) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
