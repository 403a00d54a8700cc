-- What: claim_data_jobs, and how such a job goes on.
-- Why: an export, a deletion, a replay and a rotation are each a job done in steps; a step lost is done again.
-- Locks: none on existing objects.

-- Keeps the job, with the place its next step begins at, for whoever comes next. False when the claim was lost.
create function mailpipe.advance_job(p_id text, p_fence bigint, p_cursor jsonb)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.jobs
    set
        cursor = p_cursor,
        due_at = mailpipe.clock(),
        lease_until = null,
        attempts = 0
    where id = p_id
        and fence = p_fence;
    return found;
end;
$$;

revoke execute on function mailpipe.advance_job(text, bigint, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.advance_job(text, bigint, jsonb) to mailpipe_worker;

-- What a deletion has to have removed from the storage before its next step.
create function mailpipe.removable_of(p_job mailpipe.jobs)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select to_jsonb(mailpipe.removable(
        coalesce(mailpipe.text_list(p_job.cursor -> 'objects'), '{}'),
        exists (
            select
            from mailpipe.deletions as deletion
            where deletion.id = p_job.subject_id
                and deletion.what = 'organization'
        )
    ));
$$;

revoke execute on function mailpipe.removable_of(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.removable_of(mailpipe.jobs) to mailpipe_worker;

-- A step takes seconds; within five minutes nobody else takes it.
create function mailpipe_api.claim_data_jobs(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    claimed jsonb := '[]';
    wanted text;
begin
    foreach wanted in array array['replay_deliveries', 'delete_data', 'export_data', 'rewrap_keys'] loop
        claimed := claimed || (
            select coalesce(
                jsonb_agg(jsonb_build_object(
                    'job_id', job.id, 'fence', job.fence, 'kind', job.kind, 'organization_id', job.organization_id,
                    'remove', mailpipe.removable_of(job), 'address', job.cursor -> 'address',
                    'inspect', (
                        select coalesce(jsonb_agg(raw), '[]')
                        from jsonb_array_elements(coalesce(nullif(job.cursor -> 'inspect', 'null'), '[]')) as raw
                        where mailpipe.is_stored(raw ->> 'storage_key')
                    )
                )),
                '[]'
            )
            from mailpipe.claim_jobs(wanted, 1, interval '5 minutes') as job
        );
        exit when claimed <> '[]';
    end loop;
    return claimed;
end;
$$;

revoke execute on function mailpipe_api.claim_data_jobs(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.claim_data_jobs(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.claim_data_jobs(jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
