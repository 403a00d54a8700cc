-- What: deletion_to_confirm, undo_deletion and the reading of receipts.
-- Why: a token confirms what it was made for, for an hour; an organization's deletion can be undone for seven days.
-- Locks: none on existing objects.

-- Unknown, over, of another organization or for something else: one refusal for all of them.
create function mailpipe.deletion_to_confirm(p_confirm_hash text, p_request jsonb)
returns mailpipe.deletions
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    asked mailpipe.deletions;
begin
    select deletion.*
    into asked
    from mailpipe.deletions as deletion
    where deletion.confirm_hash = decode(p_confirm_hash, 'hex')
        and deletion.what = p_request ->> 'what'
        and coalesce(deletion.subject, p_request ->> 'id') = p_request ->> 'id'
    for update;

    if asked.id is null or (asked.state = 'asked' and asked.confirm_until <= mailpipe.clock()) then
        raise sqlstate 'PT409' using message = 'confirmation_invalid';
    end if;
    return asked;
end;
$$;

revoke execute on function mailpipe.deletion_to_confirm(text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.deletion_to_confirm(text, jsonb) to mailpipe_tenant;

create function mailpipe_api.undo_deletion(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:delete');
    undone mailpipe.deletions;
begin
    perform mailpipe.assert_whole_organization(me);

    select deletion.*
    into undone
    from mailpipe.deletions as deletion
    where deletion.id = p_id
    for update;
    if undone.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'deletion';
    end if;
    if undone.state <> 'waiting' or undone.due_at <= mailpipe.clock() then
        raise sqlstate 'PT409' using message = 'undo_over', detail = undone.state;
    end if;

    delete from mailpipe.jobs
    where kind = 'delete_data'
        and subject_id = undone.id;
    update mailpipe.deletions
    set state = 'undone'
    where id = undone.id
    returning *
    into undone;
    update mailpipe.organizations
    set sending_paused = undone.was_paused
    where id = me.organization_id;
    perform mailpipe.record_audit(me, 'data.deletion_undone', undone.id, '{}');
    return mailpipe.show_receipt(undone);
end;
$$;

revoke execute on function mailpipe_api.undo_deletion(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.undo_deletion(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.undo_deletion(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.get_deletion(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:delete');
    known mailpipe.deletions;
begin
    select deletion.*
    into known
    from mailpipe.deletions as deletion
    where deletion.id = p_id
        and deletion.state <> 'asked';
    if known.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'deletion';
    end if;
    return mailpipe.show_receipt(known);
end;
$$;

revoke execute on function mailpipe_api.get_deletion(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_deletion(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_deletion(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- The organization may be gone, and its members with it: the token itself opens the receipt.
create function mailpipe_api.get_receipt(p_caller jsonb, p_confirm_hash text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'public');
    known mailpipe.deletions := mailpipe.receipt_of(p_confirm_hash);
begin
    if known.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'receipt';
    end if;
    return mailpipe.show_receipt(known);
end;
$$;

revoke execute on function mailpipe_api.get_receipt(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_receipt(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_receipt(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
