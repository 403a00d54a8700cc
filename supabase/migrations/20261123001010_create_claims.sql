-- What: claims: of what is due, and of one subject.
-- Why: a worker takes a job for the time of a lease; nobody takes what is held.
-- Locks: none on existing objects.

-- While an organization has paused sending its mail stays in the queue, untouched.
create function mailpipe.is_held(p_job mailpipe.jobs)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select p_job.kind = 'deliver_message'
        and exists (
            select
            from mailpipe.organizations as organization
            where organization.id = p_job.organization_id
                and organization.sending_paused
        );
$$;

revoke execute on function mailpipe.is_held(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.is_held(mailpipe.jobs) to mailpipe_worker;

-- Takes jobs for the time of a lease. The fence of a claim is higher than that of every claim before it.
create function mailpipe.lease_jobs(p_ids text[], p_lease interval)
returns setof mailpipe.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    update mailpipe.jobs as job
    set
        lease_until = mailpipe.clock() + p_lease,
        due_at = mailpipe.clock() + p_lease,
        fence = job.fence + 1,
        attempts = job.attempts + 1
    where job.id = any (p_ids)
    returning job.*;
end;
$$;

revoke execute on function mailpipe.lease_jobs(text[], interval) from public, anon, authenticated;
grant execute on function mailpipe.lease_jobs(text[], interval) to mailpipe_worker;

-- Takes up to p_limit due jobs from each lane, so that first tries never wait behind retries.
create function mailpipe.claim_jobs(p_kind text, p_limit int, p_lease interval)
returns setof mailpipe.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select leased.*
    from mailpipe.lease_jobs(
        array(
            select due_job.id
            from (values ('first'), ('retry')) as lanes (lane)
            cross join lateral (
                select job.id
                from mailpipe.jobs as job
                where job.kind = p_kind
                    and job.lane = lanes.lane
                    and job.group_id = ''
                    and job.due_at <= mailpipe.clock()
                    and not mailpipe.is_held(job)
                order by job.due_at
                limit p_limit
                for update skip locked
            ) as due_job
        ),
        p_lease
    ) as leased;
end;
$$;

revoke execute on function mailpipe.claim_jobs(text, int, interval) from public, anon, authenticated;
grant execute on function mailpipe.claim_jobs(text, int, interval) to mailpipe_worker;

-- Takes one subject's job, if it is due: for a caller who waits for that subject.
create function mailpipe.claim_subject(p_kind text, p_subject_id text, p_lease interval)
returns setof mailpipe.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select leased.*
    from mailpipe.lease_jobs(
        array(
            select job.id
            from mailpipe.jobs as job
            where job.kind = p_kind
                and job.subject_id = p_subject_id
                and job.due_at <= mailpipe.clock()
                and not mailpipe.is_held(job)
            for update
        ),
        p_lease
    ) as leased;
end;
$$;

revoke execute on function mailpipe.claim_subject(text, text, interval) from public, anon, authenticated;
grant execute on function mailpipe.claim_subject(text, text, interval) to mailpipe_worker;
