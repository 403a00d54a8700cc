-- What: create_invitation, list_invitations and withdraw_invitation.
-- Why: an admin says who may join, and as what; nobody invites beyond their own role.
-- Locks: none on existing objects.

-- No member has the address, and no invitation to it is open any more. One invitation after the other, or two of the
-- same address would both find none open.
create function mailpipe.clear_way(p_organization_id text, p_email text)
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
        from mailpipe.members as member
        where member.organization_id = p_organization_id
            and mailpipe.member_email(member) = p_email
    ) then
        raise sqlstate 'PT409' using message = 'already_member';
    end if;

    update mailpipe.invitations
    set withdrawn_at = mailpipe.clock()
    where organization_id = p_organization_id
        and email = p_email
        and accepted_at is null
        and withdrawn_at is null;
end;
$$;

revoke execute on function mailpipe.clear_way(text, text) from public, anon, authenticated;
grant execute on function mailpipe.clear_way(text, text) to mailpipe_tenant;

create function mailpipe_api.create_invitation(p_caller jsonb, p_token_hash text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'admin');
    made mailpipe.invitations;
begin
    perform mailpipe.assert_role(me, p_request ->> 'role');
    perform mailpipe.clear_way(me.organization_id, p_request ->> 'email');

    insert into mailpipe.invitations (organization_id, email, role, token_hash, invited_by, expires_at)
    values (
        me.organization_id, p_request ->> 'email', p_request ->> 'role', decode(p_token_hash, 'hex'), me.id::uuid,
        mailpipe.clock() + interval '7 days'
    )
    returning *
    into made;

    perform mailpipe.record_audit(me, 'member.invited', made.id, jsonb_build_object('role', made.role));
    return mailpipe.show_invitation(made);
end;
$$;

revoke execute on function mailpipe_api.create_invitation(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.create_invitation(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.create_invitation(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.list_invitations(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'admin');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select invitation.id, invitation.created_at, mailpipe.show_invitation(invitation) as shown
                from mailpipe.invitations as invitation
                where place.id = '' or (invitation.created_at, invitation.id) < (place.at, place.id)
                order by invitation.created_at desc, invitation.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_invitations(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_invitations(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_invitations(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.withdraw_invitation(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'admin');
begin
    update mailpipe.invitations
    set withdrawn_at = mailpipe.clock()
    where id = p_id
        and accepted_at is null
        and withdrawn_at is null;
    if not found then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'no open invitation of this id';
    end if;

    perform mailpipe.record_audit(me, 'invitation.withdrawn', p_id, '{}');
    return jsonb_build_object('id', p_id, 'removed', true);
end;
$$;

revoke execute on function mailpipe_api.withdraw_invitation(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.withdraw_invitation(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.withdraw_invitation(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
