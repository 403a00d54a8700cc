-- What: what is shown of an organization, and founding one where that is open.
-- Why: in a host app any end user has a session, so the operator opens founding or does it.
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

create function mailpipe.show_organization(p_organization mailpipe.organizations, p_role text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_organization.id,
        'name', p_organization.name,
        'role', p_role,
        'sending_paused', p_organization.sending_paused,
        'messages_retention_days', p_organization.messages_retention_days,
        'raw_mail_retention_days', p_organization.raw_mail_retention_days,
        'events_retention_days', p_organization.events_retention_days,
        'attempts_retention_days', p_organization.attempts_retention_days,
        'audit_retention_days', p_organization.audit_retention_days,
        'created_at', mailpipe.rfc3339(p_organization.created_at)
    );
$$;

revoke execute on function mailpipe.show_organization(mailpipe.organizations, text)
    from public, anon, authenticated;
grant execute on function mailpipe.show_organization(mailpipe.organizations, text) to mailpipe_tenant;
