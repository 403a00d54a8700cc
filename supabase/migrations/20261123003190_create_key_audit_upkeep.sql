-- What: telling of keys that are due for rotation, and sealing, telling of and dropping ranges of the audit log.
-- Why: each is done once, in small batches, by run-maintenance.
-- Locks: none on existing objects.

create function mailpipe.keys_due()
returns setof mailpipe.api_keys
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select key.*
    from mailpipe.api_keys as key
    where key.rotation_told_at is null
        and key.revoked_at is null
        and (key.created_at <= mailpipe.clock() - interval '90 days' or key.exposed_at is not null)
        and mailpipe.is_live(key)
        and not exists (
            select
            from mailpipe.api_keys as successor
            where successor.organization_id = key.organization_id
                and successor.environment = key.environment
                and successor.replaces = key.id
        )
    limit 100;
$$;

revoke execute on function mailpipe.keys_due() from public, anon, authenticated;
-- Granted to nobody: telling and the scheduler ask.

-- Tells once of each key that is 90 days old, or was seen where it does not belong.
create function mailpipe.tell_keys_due()
returns int
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    told text[];
begin
    with due as (
        update mailpipe.api_keys as key
        set rotation_told_at = mailpipe.clock()
        from mailpipe.keys_due() as ready
        where key.id = ready.id
            and key.rotation_told_at is null
        returning key.id
    )
    select coalesce(array_agg(due.id), '{}')
    into told
    from due;

    perform mailpipe.tell_of_key(
        key,
        'key.rotation_due',
        jsonb_build_object('issued_at', mailpipe.rfc3339(key.created_at), 'exposed_at', mailpipe.rfc3339(key.exposed_at))
    )
    from mailpipe.api_keys as key
    where key.id = any (told);
    return cardinality(told);
end;
$$;

revoke execute on function mailpipe.tell_keys_due() from public, anon, authenticated;
grant execute on function mailpipe.tell_keys_due() to mailpipe_worker;

-- Seals what an organization has unsealed, as its next range.
create function mailpipe.seal_range(p_organization_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    previous mailpipe.audit_seals;
    made mailpipe.audit_seals;
    next int;
begin
    select seal.*
    into previous
    from mailpipe.audit_seals as seal
    where seal.organization_id = p_organization_id
    order by seal.sequence desc
    limit 1;
    next := coalesce(previous.sequence, 0) + 1;

    update mailpipe.audit as line
    set seal = next
    where line.id in (
        select unsealed.id
        from mailpipe.audit as unsealed
        where unsealed.organization_id = p_organization_id
            and unsealed.seal is null
        order by unsealed.position
        limit 5000
    );

    select p_organization_id, next, count(*), min(line.created_at), max(line.created_at)
    into made.organization_id, made.sequence, made.lines, made.first_at, made.last_at
    from mailpipe.audit as line
    where line.organization_id = p_organization_id
        and line.seal = next;
    made.lines_hash := mailpipe.lines_hash(p_organization_id, next);

    insert into mailpipe.audit_seals (organization_id, sequence, lines, first_at, last_at, lines_hash, hash)
    values (
        made.organization_id, made.sequence, made.lines, made.first_at, made.last_at, made.lines_hash,
        mailpipe.seal_hash(made, previous.hash)
    );
end;
$$;

revoke execute on function mailpipe.seal_range(text) from public, anon, authenticated;
-- Granted to nobody: seal_audit seals.

-- Organizations whose oldest unsealed line is an hour old.
create function mailpipe.unsealed_organizations()
returns setof text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select distinct line.organization_id
    from mailpipe.audit as line
    where line.seal is null
        and line.created_at <= mailpipe.clock() - interval '1 hour'
    limit 50;
$$;

revoke execute on function mailpipe.unsealed_organizations() from public, anon, authenticated;
-- Granted to nobody: sealing and the scheduler ask.
