-- What: the audit log as an owner reads it, and the proof of its chain.
-- Why: the log is evidence: read by filters, and checked without trusting whoever runs the database.
-- Locks: none on existing objects.

create function mailpipe.show_audit(p_line mailpipe.audit)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_line.id,
        'environment', p_line.environment,
        'actor_kind', p_line.actor_kind,
        'actor_id', p_line.actor_id,
        'action', p_line.action,
        'subject_id', p_line.subject_id,
        'detail', p_line.detail,
        'sealed_in', p_line.seal,
        'created_at', mailpipe.rfc3339(p_line.created_at)
    );
$$;

revoke execute on function mailpipe.show_audit(mailpipe.audit) from public, anon, authenticated;
grant execute on function mailpipe.show_audit(mailpipe.audit) to mailpipe_tenant;

create function mailpipe_api.list_audit(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'owner');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
    since timestamptz := (p_request ->> 'since')::timestamptz;
    until timestamptz := (p_request ->> 'until')::timestamptz;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select line.id, line.created_at, mailpipe.show_audit(line) as shown
                from mailpipe.audit as line
                where (place.id = '' or (line.created_at, line.id) < (place.at, place.id))
                    and (p_request ->> 'action' is null or line.action = p_request ->> 'action')
                    and (p_request ->> 'actor_id' is null or line.actor_id = p_request ->> 'actor_id')
                    and (p_request ->> 'subject_id' is null or line.subject_id = p_request ->> 'subject_id')
                    and (p_request ->> 'environment' is null or line.environment = p_request ->> 'environment')
                    and (since is null or line.created_at >= since)
                    and (until is null or line.created_at < until)
                order by line.created_at desc, line.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_audit(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_audit(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_audit(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- verify_audit for the pinned organization.
create function mailpipe.verify_own_audit()
returns jsonb
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'valid', count(*) filter (where range.fault is not null) = 0,
        'ranges', count(*),
        'lines', coalesce(sum(range.lines) filter (where not range.dropped), 0),
        'dropped_ranges', count(*) filter (where range.dropped),
        'head', (array_agg(range.hash order by range.sequence desc))[1],
        'faults', coalesce(
            jsonb_agg(jsonb_build_object('sequence', range.sequence, 'fault', range.fault) order by range.sequence)
                filter (where range.fault is not null),
            '[]'
        ),
        'hashes', coalesce(jsonb_agg(range.hash), '[]')
    )
    from mailpipe.verify_audit(current_setting('mailpipe.organization_id', true)) as range;
$$;

revoke execute on function mailpipe.verify_own_audit() from public, anon, authenticated;
grant execute on function mailpipe.verify_own_audit() to mailpipe_tenant;

-- p_head is a head that audit.sealed once told: a chain that was written anew does not hold it.
create function mailpipe_api.verify_audit(p_caller jsonb, p_head text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'owner');
    proof jsonb := mailpipe.verify_own_audit();
    known constant boolean := p_head is null or proof -> 'hashes' ? p_head;
begin
    return proof - 'hashes' || jsonb_build_object(
        'valid', (proof ->> 'valid')::boolean and known,
        'head_known', case when p_head is not null then known end,
        'unsealed', (
            select count(*)
            from mailpipe.audit as line
            where line.seal is null
        )
    );
end;
$$;

revoke execute on function mailpipe_api.verify_audit(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.verify_audit(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.verify_audit(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
