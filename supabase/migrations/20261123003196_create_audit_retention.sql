-- What: drop_audit.
-- Why: whole sealed ranges go when their time is over; the chain closes over them.
-- Locks: none on existing objects.

create function mailpipe.ranges_over()
returns setof mailpipe.audit_seals
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select seal.*
    from mailpipe.organizations as organization
    join mailpipe.audit_seals as seal on seal.organization_id = organization.id
    where seal.dropped_at is null
        and seal.last_at < mailpipe.clock() - make_interval(days => organization.audit_retention_days)
    limit 20;
$$;

revoke execute on function mailpipe.ranges_over() from public, anon, authenticated;
-- Granted to nobody: dropping and the scheduler ask.

-- Drops the lines of ranges whose retention is over, keeps their seals, and leaves a line that says so.
create function mailpipe.drop_audit()
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    dropped int;
begin
    with ranges as (
        update mailpipe.audit_seals as seal
        set dropped_at = mailpipe.clock()
        from mailpipe.ranges_over() as over
        where seal.organization_id = over.organization_id
            and seal.sequence = over.sequence
        returning seal.organization_id, seal.sequence, seal.lines
    ),
    gone as (
        delete from mailpipe.audit as line
        using ranges
        where line.organization_id = ranges.organization_id
            and line.seal = ranges.sequence
    ),
    told as (
        insert into mailpipe.audit (organization_id, actor_kind, actor_id, action, subject_id, detail)
        select
            ranges.organization_id, 'worker', 'worker', 'audit.dropped', ranges.organization_id,
            jsonb_build_object('sequence', ranges.sequence, 'lines', ranges.lines)
        from ranges
    )
    select count(*)
    into dropped
    from ranges;
    return dropped;
end;
$$;

revoke execute on function mailpipe.drop_audit() from public, anon, authenticated;
grant execute on function mailpipe.drop_audit() to mailpipe_worker;
