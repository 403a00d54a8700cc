-- What: create, list and get mailboxes.
-- Why: a mailbox is an address that receives.
-- Locks: none on existing objects.

create function mailpipe.show_mailbox(p_mailbox mailpipe.mailboxes)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_mailbox.id,
        'address', p_mailbox.address,
        'display_name', p_mailbox.display_name,
        'forward_to_webhook', p_mailbox.forward_to_webhook,
        'environment', p_mailbox.environment,
        'created_at', mailpipe.rfc3339(p_mailbox.created_at)
    );
$$;

revoke execute on function mailpipe.show_mailbox(mailpipe.mailboxes) from public, anon, authenticated;
grant execute on function mailpipe.show_mailbox(mailpipe.mailboxes) to mailpipe_tenant;

create function mailpipe_api.create_mailbox(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mailboxes:write');
    made mailpipe.mailboxes;
begin
    if current_setting('mailpipe.mailboxes', true) <> '' then
        raise sqlstate 'PT403' using message = 'fence_violated', detail = 'mailboxes: the key is for some, and makes none';
    end if;
    insert into mailpipe.mailboxes (organization_id, environment, address, display_name, forward_to_webhook)
    values (
        me.organization_id,
        me.environment,
        lower(p_request ->> 'address'),
        p_request ->> 'display_name',
        coalesce((p_request ->> 'forward_to_webhook')::boolean, true)
    )
    on conflict (organization_id, environment, address) do nothing
    returning *
    into made;

    if made.id is null then
        raise sqlstate 'PT409' using message = 'mailbox_exists', detail = lower(p_request ->> 'address');
    end if;
    perform mailpipe.record_audit(me, 'mailbox.created', made.id, '{}');
    return mailpipe.show_mailbox(made);
end;
$$;

revoke execute on function mailpipe_api.create_mailbox(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.create_mailbox(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.create_mailbox(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.list_mailboxes(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mailboxes:read');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select mailbox.id, mailbox.created_at, mailpipe.show_mailbox(mailbox) as shown
                from mailpipe.mailboxes as mailbox
                where place.id = '' or (mailbox.created_at, mailbox.id) < (place.at, place.id)
                order by mailbox.created_at desc, mailbox.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_mailboxes(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_mailboxes(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_mailboxes(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.get_mailbox(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'mailboxes:read');
    shown jsonb;
begin
    select mailpipe.show_mailbox(mailbox)
    into shown
    from mailpipe.mailboxes as mailbox
    where mailbox.id = p_id;

    if shown is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'mailbox';
    end if;
    return shown;
end;
$$;

revoke execute on function mailpipe_api.get_mailbox(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_mailbox(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_mailbox(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
