-- What: accept_invitation.
-- Why: joining takes the token and a session whose confirmed address is the invited one; each token joins once.
-- Locks: none on existing objects.

-- Two who hold the token at once are ordered by the lock on its row; the second finds it used.
create function mailpipe.open_invitation(p_token_hash text)
returns mailpipe.invitations
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.invitations;
begin
    select invitation.*
    into found_one
    from mailpipe.invitations as invitation
    where invitation.token_hash = decode(p_token_hash, 'hex')
    for update;

    if found_one.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'invitation';
    end if;
    if found_one.accepted_at is not null then
        raise sqlstate 'PT409' using message = 'invitation_over', detail = 'it was accepted';
    end if;
    if found_one.withdrawn_at is not null or not mailpipe.inviter_may(found_one) then
        raise sqlstate 'PT409' using message = 'invitation_over', detail = 'it was withdrawn, or replaced by a newer one';
    end if;
    if found_one.expires_at <= mailpipe.clock() then
        raise sqlstate 'PT409' using message = 'invitation_over', detail = 'it has expired';
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.open_invitation(text) from public, anon, authenticated;
-- Granted to nobody: only joining opens one.

-- Auth's own word for the address, confirmed.
create function mailpipe.assert_invited(p_invitation mailpipe.invitations, p_user_id uuid)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from auth.users as account
        where account.id = p_user_id
            and account.email_confirmed_at is not null
            and lower(account.email) = p_invitation.email
    ) then
        raise sqlstate 'PT403' using message = 'invitation_for_another';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_invited(mailpipe.invitations, uuid) from public, anon, authenticated;
-- Granted to nobody: only joining asks.

-- The user is the one authenticate pinned.
create function mailpipe.join_by_invitation(p_token_hash text)
returns mailpipe.members
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    joining constant uuid := current_setting('mailpipe.user_id')::uuid;
    invitation mailpipe.invitations := mailpipe.open_invitation(p_token_hash);
    joined mailpipe.members;
begin
    perform mailpipe.assert_invited(invitation, joining);

    insert into mailpipe.members (organization_id, user_id, role)
    values (invitation.organization_id, joining, invitation.role)
    on conflict on constraint members_pkey do nothing
    returning *
    into joined;
    if joined.id is null then
        raise sqlstate 'PT409' using message = 'already_member';
    end if;

    update mailpipe.invitations
    set accepted_at = mailpipe.clock()
    where id = invitation.id;

    insert into mailpipe.audit (organization_id, actor_kind, actor_id, action, subject_id, detail)
    values (
        joined.organization_id, 'session', joining::text, 'member.joined', joined.id,
        jsonb_build_object('role', joined.role, 'invitation', invitation.id)
    );
    return joined;
end;
$$;

revoke execute on function mailpipe.join_by_invitation(text) from public, anon, authenticated;
grant execute on function mailpipe.join_by_invitation(text) to mailpipe_tenant;

create function mailpipe_api.accept_invitation(p_caller jsonb, p_token_hash text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'session');
    joined mailpipe.members := mailpipe.join_by_invitation(p_token_hash);
begin
    return (
        select jsonb_build_object('id', organization.id, 'name', organization.name, 'role', joined.role)
        from mailpipe.organizations as organization
        where organization.id = joined.organization_id
    );
end;
$$;

revoke execute on function mailpipe_api.accept_invitation(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.accept_invitation(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.accept_invitation(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
