-- What: take_out_master_key for a signed-in owner.
-- Why: the master key opens every organization's secrets, so only who owns them all may have it.
-- Locks: none on existing objects.

create function mailpipe.hand_out_to_owner(p_me mailpipe.caller, p_passphrase text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (
        select
        from mailpipe.organizations as organization
        where not exists (
            select
            from mailpipe.members as member
            where member.organization_id = organization.id
                and member.user_id = p_me.id::uuid
                and member.role = 'owner'
        )
    ) then
        raise sqlstate 'PT403' using message = 'not_owner_of_all';
    end if;
    return mailpipe.hand_out_master_key(p_passphrase, p_me.kind, p_me.id);
end;
$$;

revoke execute on function mailpipe.hand_out_to_owner(mailpipe.caller, text) from public, anon, authenticated;
grant execute on function mailpipe.hand_out_to_owner(mailpipe.caller, text) to mailpipe_tenant;

create function mailpipe_api.take_out_master_key(p_caller jsonb, p_passphrase text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'owner');
begin
    return mailpipe.hand_out_to_owner(me, p_passphrase);
end;
$$;

revoke execute on function mailpipe_api.take_out_master_key(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.take_out_master_key(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.take_out_master_key(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
