-- What: seal_audit, which seals and tells.
-- Why: heads of the chain leave the database every day, so a chain written anew is found out.
-- Locks: none on existing objects.

-- Tells the newest head of an organization; untold_organizations says when a day is over.
create function mailpipe.tell_audit_head(p_organization_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    head mailpipe.audit_seals;
    lines bigint;
begin
    select seal.*
    into head
    from mailpipe.audit_seals as seal
    where seal.organization_id = p_organization_id
    order by seal.sequence desc
    limit 1;

    with told as (
        update mailpipe.audit_seals as seal
        set told_at = mailpipe.clock()
        where seal.organization_id = p_organization_id
            and seal.told_at is null
        returning seal.lines
    )
    select sum(told.lines)
    into lines
    from told;

    perform mailpipe.emit_event(
        p_organization_id, 'live', 'audit.sealed', null,
        jsonb_build_object(
            'sequence', head.sequence,
            'head', encode(head.hash, 'hex'),
            'lines', lines,
            'sealed_at', mailpipe.rfc3339(head.created_at)
        ),
        true
    );
end;
$$;

revoke execute on function mailpipe.tell_audit_head(text) from public, anon, authenticated;
-- Granted to nobody: seal_audit tells.

-- Organizations with a sealed range nobody was told of, whose last telling is a day ago.
create function mailpipe.untold_organizations()
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select seal.organization_id
    from mailpipe.audit_seals as seal
    group by seal.organization_id
    having bool_or(seal.told_at is null)
        and coalesce(max(seal.told_at) <= mailpipe.clock() - interval '1 day', true)
    limit 50;
$$;

revoke execute on function mailpipe.untold_organizations() from public, anon, authenticated;
-- Granted to nobody: telling and the scheduler ask.

-- Seals fifty organizations a call; of two calls at once the second leaves it to the first.
create function mailpipe.seal_audit()
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    organization text;
    sealed int := 0;
begin
    if not pg_try_advisory_xact_lock(hashtext('mailpipe.seal_audit')) then
        return 0;
    end if;
    for organization in select mailpipe.unsealed_organizations() loop
        perform mailpipe.seal_range(organization);
        sealed := sealed + 1;
    end loop;
    perform mailpipe.tell_audit_head(untold)
    from mailpipe.untold_organizations() as untold;
    return sealed;
end;
$$;

revoke execute on function mailpipe.seal_audit() from public, anon, authenticated;
grant execute on function mailpipe.seal_audit() to mailpipe_worker;
