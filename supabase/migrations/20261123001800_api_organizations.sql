-- What: list_organizations, create_organization and update_organization for signed-in users.
-- Why: a session may found an organization only where the operator opened that, and stop its mail at once.
-- Locks: none on existing objects.

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
            'sending_paused', organization.sending_paused,
            'audit_retention_days', organization.audit_retention_days,
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
                        'sending_paused', organization.sending_paused,
                        'audit_retention_days', organization.audit_retention_days,
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

create function mailpipe_api.update_organization(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'admin');
    changed mailpipe.organizations;
begin
    -- How long evidence is kept is for the owner to say.
    if p_request ? 'audit_retention_days' then
        perform mailpipe.assert_role(me, 'owner');
    end if;

    update mailpipe.organizations
    set
        name = coalesce(p_request ->> 'name', name),
        sending_paused = coalesce((p_request ->> 'sending_paused')::boolean, sending_paused),
        audit_retention_days = case
            when p_request ? 'audit_retention_days' then (p_request ->> 'audit_retention_days')::int
            else audit_retention_days
        end
    where id = me.organization_id
    returning *
    into changed;

    perform mailpipe.record_audit(me, 'organization.changed', changed.id, p_request - 'name');
    return jsonb_build_object(
        'id', changed.id,
        'name', changed.name,
        'role', me.role,
        'sending_paused', changed.sending_paused,
        'audit_retention_days', changed.audit_retention_days,
        'created_at', mailpipe.rfc3339(changed.created_at)
    );
end;
$$;

revoke execute on function mailpipe_api.update_organization(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.update_organization(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.update_organization(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
