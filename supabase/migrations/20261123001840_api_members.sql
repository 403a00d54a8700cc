-- What: list_members, update_member, remove_member and transfer_ownership.
-- Why: membership is read at every call, so a change of role and a removal hold at the next one.
-- Locks: none on existing objects.

create function mailpipe_api.list_members(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'viewer');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select member.id, member.created_at, mailpipe.show_member(member) as shown
                from mailpipe.members as member
                where member.organization_id = me.organization_id
                    and (place.id = '' or (member.created_at, member.id) < (place.at, place.id))
                order by member.created_at desc, member.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_members(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_members(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_members(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- Ownership is an owner's to give and to take.
create function mailpipe_api.update_member(p_caller jsonb, p_id text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'admin');
    target mailpipe.members := mailpipe.member_to_change(me, p_id);
    changed mailpipe.members;
begin
    if 'owner' in (target.role, p_request ->> 'role') then
        perform mailpipe.assert_role(me, 'owner');
    end if;
    if p_request ->> 'role' <> 'owner' then
        perform mailpipe.assert_another_owner(target);
    end if;

    update mailpipe.members
    set role = p_request ->> 'role'
    where organization_id = me.organization_id
        and user_id = target.user_id
    returning *
    into changed;

    perform mailpipe.record_audit(
        me, 'member.role_changed', changed.id, jsonb_build_object('from', target.role, 'to', changed.role)
    );
    return mailpipe.show_member(changed);
end;
$$;

revoke execute on function mailpipe_api.update_member(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.update_member(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.update_member(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- Whoever is a member may leave; others are removed by an admin, an owner by an owner.
create function mailpipe_api.remove_member(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'viewer');
    target mailpipe.members := mailpipe.member_to_change(me, p_id);
begin
    if target.user_id <> me.id::uuid then
        perform mailpipe.assert_role(me, case when target.role = 'owner' then 'owner' else 'admin' end);
    end if;
    perform mailpipe.assert_another_owner(target);

    delete from mailpipe.members
    where organization_id = me.organization_id
        and user_id = target.user_id;

    perform mailpipe.record_audit(me, 'member.removed', target.id, jsonb_build_object('role', target.role));
    return jsonb_build_object('id', target.id, 'removed', true);
end;
$$;

revoke execute on function mailpipe_api.remove_member(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.remove_member(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.remove_member(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- The other becomes owner and the caller admin, in one step.
create function mailpipe_api.transfer_ownership(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'owner');
    target mailpipe.members := mailpipe.member_to_change(me, p_id);
begin
    if target.role = 'owner' then
        raise sqlstate 'PT409' using message = 'already_owner';
    end if;

    update mailpipe.members
    set role = case when id = target.id then 'owner' else 'admin' end
    where organization_id = me.organization_id
        and (id = target.id or user_id = me.id::uuid);

    perform mailpipe.record_audit(
        me, 'ownership.transferred', target.id, jsonb_build_object('from', target.role)
    );
    return mailpipe.show_member(target) || jsonb_build_object('role', 'owner');
end;
$$;

revoke execute on function mailpipe_api.transfer_ownership(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.transfer_ownership(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.transfer_ownership(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
