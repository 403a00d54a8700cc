-- What: what may be deleted, and how a deletion begins.
-- Why: what is not there or another's is not found; an organization is deleted once, and its mail stops first.
-- Locks: none on existing objects.

-- What is to be deleted must be there, and the caller's: an id of another environment or organization is not found.
create function mailpipe.assert_deletable(p_me mailpipe.caller, p_request jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    wanted constant text := p_request ->> 'id';
begin
    if p_request ->> 'what' in ('person', 'organization') then
        perform mailpipe.assert_whole_organization(p_me);
    end if;
    if (case p_request ->> 'what'
        when 'message' then not exists (select from mailpipe.messages as message where message.id = wanted)
        when 'mailbox' then not exists (select from mailpipe.mailboxes as mailbox where mailbox.id = wanted)
        when 'organization' then wanted <> p_me.organization_id
        else false
    end) then
        raise sqlstate 'PT404' using message = 'not_found', detail = p_request ->> 'what';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_deletable(mailpipe.caller, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.assert_deletable(mailpipe.caller, jsonb) to mailpipe_tenant;

-- One after the other, or two confirmed at once would both find none.
create function mailpipe.assert_none_pending(p_organization_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform
    from mailpipe.organizations as organization
    where organization.id = p_organization_id
    for no key update;

    if exists (
        select
        from mailpipe.deletions as pending
        where pending.organization_id = p_organization_id
            and pending.what = 'organization'
            and pending.state in ('waiting', 'running')
    ) then
        raise sqlstate 'PT409' using message = 'deletion_pending';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_none_pending(text) from public, anon, authenticated;
grant execute on function mailpipe.assert_none_pending(text) to mailpipe_tenant;

-- An organization goes in seven days, its mail paused until then; everything else goes at once.
create function mailpipe.begin_deletion(p_me mailpipe.caller, p_asked mailpipe.deletions)
returns mailpipe.deletions
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    whole constant boolean := p_asked.what = 'organization';
    begun mailpipe.deletions;
begin
    update mailpipe.deletions
    set
        state = case when whole then 'waiting' else 'running' end,
        due_at = mailpipe.clock() + case when whole then interval '7 days' else interval '0' end,
        was_paused = (
            select organization.sending_paused
            from mailpipe.organizations as organization
            where organization.id = p_me.organization_id
        )
    where id = p_asked.id
    returning *
    into begun;
    update mailpipe.organizations
    set sending_paused = true
    where id = p_me.organization_id
        and whole;
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, due_at, cursor)
    values (
        p_me.organization_id, p_me.environment, 'delete_data', begun.id, begun.due_at,
        jsonb_build_object('stage', case when whole then 'close' else 'messages' end)
    );
    return begun;
end;
$$;

revoke execute on function mailpipe.begin_deletion(mailpipe.caller, mailpipe.deletions) from public, anon, authenticated;
grant execute on function mailpipe.begin_deletion(mailpipe.caller, mailpipe.deletions) to mailpipe_tenant;
