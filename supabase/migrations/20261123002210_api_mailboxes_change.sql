-- What: update_mailbox and delete_mailbox.
-- Why: deleting a mailbox keeps its mail.
-- Locks: none on existing objects.

create function mailpipe_api.update_mailbox(p_caller jsonb, p_id text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mailboxes:write');
    changed mailpipe.mailboxes;
begin
    update mailpipe.mailboxes
    set
        display_name = case when p_request ? 'display_name' then p_request ->> 'display_name' else display_name end,
        forward_to_webhook = coalesce((p_request ->> 'forward_to_webhook')::boolean, forward_to_webhook)
    where id = p_id
    returning *
    into changed;

    if changed.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'mailbox';
    end if;
    return mailpipe.show_mailbox(changed);
end;
$$;

revoke execute on function mailpipe_api.update_mailbox(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.update_mailbox(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.update_mailbox(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.delete_mailbox(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mailboxes:write');
begin
    delete from mailpipe.mailboxes
    where id = p_id;

    if not found then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'mailbox';
    end if;
    perform mailpipe.record_audit(me, 'mailbox.removed', p_id, '{}');
    return jsonb_build_object('id', p_id, 'removed', true);
end;
$$;

revoke execute on function mailpipe_api.delete_mailbox(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_mailbox(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.delete_mailbox(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
