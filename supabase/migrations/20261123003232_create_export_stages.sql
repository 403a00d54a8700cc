-- What: the stages of an export, and the export a claim is for.
-- Why: each table, then the mail, the files and the manifest; a claim that was lost is for none.
-- Locks: none on existing objects.

-- The export a claim is for; none when the claim was lost or the export is gone. Locked, or a claim taken while a step
-- is recorded would have its part twice.
create function mailpipe.claimed_export(p_job_id text, p_fence bigint)
returns mailpipe.exports
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select export.*
    from mailpipe.jobs as job
    join mailpipe.exports as export on export.id = job.subject_id
    where job.id = p_job_id
        and job.fence = p_fence
        and job.kind = 'export_data'
    for update of job;
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

-- Twenty claims brought no step to its end, an hour and a half of them: the export fails, so that another can begin.
create function mailpipe.gave_up(p_export mailpipe.exports, p_job_id text, p_fence bigint)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from mailpipe.jobs as job
        where job.id = p_job_id
            and job.attempts > 20
    ) then
        return false;
    end if;
    update mailpipe.exports
    set
        failed = true,
        finished_at = mailpipe.clock()
    where id = p_export.id;
    perform mailpipe.finish_job(p_job_id, p_fence, null);
    return true;
end;
$$;

revoke execute on function mailpipe.gave_up(mailpipe.exports, text, bigint) from public, anon, authenticated;
grant execute on function mailpipe.gave_up(mailpipe.exports, text, bigint) to mailpipe_worker;
