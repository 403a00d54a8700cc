-- What: create_organization, the one SQL call that makes the first owner.
-- Why: in a host app any end user has a session, so the operator decides who founds an organization.
-- Locks: none on existing objects.

create function mailpipe.found_organization(p_name text, p_user_id uuid)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    founded text;
begin
    insert into mailpipe.organizations (name)
    values (p_name)
    returning id
    into founded;

    insert into mailpipe.members (organization_id, user_id, role)
    values (founded, p_user_id, 'owner');

    perform mailpipe.create_data_key(founded);

    insert into mailpipe.audit (organization_id, actor_kind, actor_id, action, subject_id)
    values (founded, 'session', p_user_id::text, 'organization.created', founded);
    return founded;
end;
$$;

revoke execute on function mailpipe.found_organization(text, uuid) from public, anon, authenticated;
-- Granted to nobody: reached through found_if_open, or by the operator.

create function mailpipe.create_organization(p_name text, p_email text)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    owner_id uuid;
begin
    select account.id
    into owner_id
    from auth.users as account
    where lower(account.email) = lower(p_email);

    if owner_id is null then
        raise exception 'no user signed up as %', p_email
            using hint = 'Add the user in the dashboard (Authentication, Users), then call this again.';
    end if;
    return mailpipe.found_organization(p_name, owner_id);
end;
$$;

comment on function mailpipe.create_organization(text, text) is
    'The first owner: select mailpipe.create_organization(''Acme'', ''owner@acme.com''), run as postgres.';

revoke execute on function mailpipe.create_organization(text, text) from public, anon, authenticated;
-- Granted to nobody: the operator calls it as postgres.
