-- What: list_organizations, create_organization and update_organization for signed-in users.
-- Why: a session may found an organization only where the operator opened that, and stop its mail at once.
-- Locks: none on existing objects.

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
        select mailpipe.show_organization(organization, member.role)
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
                    mailpipe.show_organization(organization, member.role) as shown
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
    -- How long things are kept, evidence among them, is for the owner to say.
    if exists (select from jsonb_object_keys(p_request) as named where named like '%\_retention\_days') then
        perform mailpipe.assert_role(me, 'owner');
    end if;

    select organization.*
    into changed
    from mailpipe.organizations as organization
    where organization.id = me.organization_id
    for no key update;
    -- What the request does not name stays as it is.
    changed := jsonb_populate_record(changed, p_request);

    update mailpipe.organizations
    set
        name = changed.name,
        sending_paused = changed.sending_paused,
        messages_retention_days = changed.messages_retention_days,
        raw_mail_retention_days = changed.raw_mail_retention_days,
        events_retention_days = changed.events_retention_days,
        attempts_retention_days = changed.attempts_retention_days,
        audit_retention_days = changed.audit_retention_days
    where id = me.organization_id;

    perform mailpipe.record_audit(me, 'organization.changed', changed.id, p_request - 'name');
    return mailpipe.show_organization(changed, me.role);
end;
$$;

revoke execute on function mailpipe_api.update_organization(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.update_organization(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.update_organization(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
