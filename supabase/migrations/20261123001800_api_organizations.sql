-- What: whoami, list_organizations, create_organization, and the one SQL call that makes the first owner.
-- Why: a session may found an organization only where the operator opened that.
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

create function mailpipe.found_if_open(p_name text)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if (select organization_creation from mailpipe.settings) <> 'open' then
        raise sqlstate 'PT403' using message = 'organization_creation_closed';
    end if;
    return mailpipe.found_organization(p_name, current_setting('mailpipe.user_id')::uuid);
end;
$$;

revoke execute on function mailpipe.found_if_open(text) from public, anon, authenticated;
grant execute on function mailpipe.found_if_open(text) to mailpipe_tenant;

create function mailpipe_api.create_organization(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'session');
    founded text := mailpipe.found_if_open(p_request ->> 'name');
begin
    return (
        select jsonb_build_object(
            'id', organization.id,
            'name', organization.name,
            'role', member.role,
            'created_at', mailpipe.rfc3339(organization.created_at)
        )
        from mailpipe.organizations as organization
        join mailpipe.members as member on member.organization_id = organization.id
        where organization.id = founded
            and member.user_id = me.id::uuid
    );
end;
$$;

revoke execute on function mailpipe_api.create_organization(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.create_organization(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.create_organization(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.list_organizations(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'session');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select
                    organization.id,
                    organization.created_at,
                    jsonb_build_object(
                        'id', organization.id,
                        'name', organization.name,
                        'role', member.role,
                        'created_at', mailpipe.rfc3339(organization.created_at)
                    ) as shown
                from mailpipe.organizations as organization
                join mailpipe.members as member on member.organization_id = organization.id
                where member.user_id = me.id::uuid
                    and (place.id = '' or (organization.created_at, organization.id) < (place.at, place.id))
                order by organization.created_at desc, organization.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_organizations(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_organizations(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_organizations(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.whoami(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'caller');
begin
    return jsonb_build_object(
        'kind', me.kind,
        'id', me.id,
        'organization_id', me.organization_id,
        'environment', me.environment,
        'role', me.role,
        'scopes', me.scopes,
        'expires_at', (
            select mailpipe.rfc3339(key.expires_at)
            from mailpipe.api_keys as key
            where key.id = me.id
        )
    );
end;
$$;

revoke execute on function mailpipe_api.whoami(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.whoami(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.whoami(jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
