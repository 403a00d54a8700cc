-- What: ask_deletion and confirm_deletion.
-- Why: two calls, so that nothing goes by one mistake; the second says the same again, with the token of the first.
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

create function mailpipe_api.ask_deletion(p_caller jsonb, p_confirm_hash text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:delete');
    asked mailpipe.deletions;
begin
    perform mailpipe.assert_deletable(me, p_request);
    asked.organization_id := me.organization_id;
    asked.environment := me.environment;
    asked.what := p_request ->> 'what';
    asked.subject := p_request ->> 'id';

    insert into mailpipe.deletions (
        organization_id, environment, what, subject, confirm_hash, confirm_until, counts
    )
    values (
        asked.organization_id, asked.environment, asked.what, asked.subject, decode(p_confirm_hash, 'hex'),
        mailpipe.clock() + interval '1 hour', mailpipe.deletion_counts(asked)
    )
    returning *
    into asked;

    perform mailpipe.record_audit(me, 'data.deletion_asked', asked.id, jsonb_build_object('what', asked.what));
    return jsonb_build_object(
        'id', asked.id, 'counts', asked.counts, 'confirm_until', mailpipe.rfc3339(asked.confirm_until)
    );
end;
$$;

revoke execute on function mailpipe_api.ask_deletion(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.ask_deletion(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.ask_deletion(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

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

-- Confirming again shows the receipt.
create function mailpipe_api.confirm_deletion(p_caller jsonb, p_confirm_hash text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:delete');
    asked mailpipe.deletions := mailpipe.deletion_to_confirm(p_confirm_hash, p_request);
begin
    if asked.state <> 'asked' then
        return mailpipe.show_receipt(asked);
    end if;
    if asked.what in ('person', 'organization') then
        perform mailpipe.assert_whole_organization(me);
    end if;
    if asked.what = 'organization' and exists (
        select
        from mailpipe.deletions as pending
        where pending.what = 'organization'
            and pending.state in ('waiting', 'running')
    ) then
        raise sqlstate 'PT409' using message = 'deletion_pending';
    end if;

    perform mailpipe.record_audit(me, 'data.deletion_confirmed', asked.id, jsonb_build_object('what', asked.what));
    return mailpipe.show_receipt(mailpipe.begin_deletion(me, asked));
end;
$$;

revoke execute on function mailpipe_api.confirm_deletion(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.confirm_deletion(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.confirm_deletion(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
