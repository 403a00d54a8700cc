-- What: what is shown of a member, and the rule of the last owner.
-- Why: an address is Auth's, and only members of the same organization see it; somebody must own what is there.
-- Locks: none on existing objects.

-- Auth's address of a member of the pinned organization; of anybody else, null.
create function mailpipe.member_email(p_member mailpipe.members)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select lower(account.email)
    from mailpipe.members as member
    join auth.users as account on account.id = member.user_id
    where member.organization_id = current_setting('mailpipe.organization_id', true)
        and member.user_id = p_member.user_id;
$$;

revoke execute on function mailpipe.member_email(mailpipe.members) from public, anon, authenticated;
grant execute on function mailpipe.member_email(mailpipe.members) to mailpipe_tenant;

create function mailpipe.show_member(p_member mailpipe.members)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_member.id,
        'user_id', p_member.user_id,
        'email', mailpipe.member_email(p_member),
        'role', p_member.role,
        'created_at', mailpipe.rfc3339(p_member.created_at)
    );
$$;

revoke execute on function mailpipe.show_member(mailpipe.members) from public, anon, authenticated;
grant execute on function mailpipe.show_member(mailpipe.members) to mailpipe_tenant;

-- The member a caller is about to change. The owners' rows are locked first, so that two owners who change each other
-- do it one after the other, and the second finds what the first left.
create function mailpipe.member_to_change(p_me mailpipe.caller, p_id text)
returns mailpipe.members
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    target mailpipe.members;
begin
    perform
    from mailpipe.members as owner
    where owner.organization_id = p_me.organization_id
        and owner.role = 'owner'
    order by owner.user_id
    for update;

    -- Whoever waited for the lock may be no owner any more.
    if p_me.role = 'owner' and not exists (
        select
        from mailpipe.members as owner
        where owner.organization_id = p_me.organization_id
            and owner.user_id = p_me.id::uuid
            and owner.role = 'owner'
    ) then
        raise sqlstate 'PT403' using message = 'role_missing', detail = 'owner';
    end if;

    select member.*
    into target
    from mailpipe.members as member
    where member.organization_id = p_me.organization_id
        and member.id = p_id;

    if target.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'member';
    end if;
    return target;
end;
$$;

revoke execute on function mailpipe.member_to_change(mailpipe.caller, text) from public, anon, authenticated;
grant execute on function mailpipe.member_to_change(mailpipe.caller, text) to mailpipe_tenant;

create function mailpipe.assert_another_owner(p_leaving mailpipe.members)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_leaving.role = 'owner' and not exists (
        select
        from mailpipe.members as other
        where other.organization_id = p_leaving.organization_id
            and other.role = 'owner'
            and other.user_id <> p_leaving.user_id
    ) then
        raise sqlstate 'PT409' using message = 'last_owner';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_another_owner(mailpipe.members) from public, anon, authenticated;
grant execute on function mailpipe.assert_another_owner(mailpipe.members) to mailpipe_tenant;
