-- What: who a caller is: the scopes each role grants, and the lookup of sessions.
-- Why: one place looks the caller up; authenticate() stands on it.
-- Locks: none on existing objects.

create type mailpipe.caller as (
    kind text,
    id text,
    organization_id text,
    environment text,
    scopes text[],
    role text
);

revoke usage on type mailpipe.caller from public, anon, authenticated, service_role;
grant usage on type mailpipe.caller to mailpipe_tenant, mailpipe_worker;

-- The scopes a member's role grants. Organizations, members and audit have no scope: sessions only.
create function mailpipe.role_scopes(p_role text)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case p_role
        when 'owner' then array[
            'mail:send', 'mail:read', 'mail:write', 'mailboxes:read', 'mailboxes:write', 'domains:read',
            'domains:write', 'providers:read', 'providers:write', 'webhooks:read', 'webhooks:write',
            'keys:read', 'keys:write', 'usage:read', 'data:export', 'data:delete'
        ]
        when 'admin' then array[
            'mail:send', 'mail:read', 'mail:write', 'mailboxes:read', 'mailboxes:write', 'domains:read',
            'domains:write', 'providers:read', 'providers:write', 'webhooks:read', 'webhooks:write',
            'keys:read', 'keys:write', 'usage:read', 'data:export'
        ]
        when 'member' then array[
            'mail:send', 'mail:read', 'mail:write', 'mailboxes:read', 'domains:read', 'usage:read'
        ]
        when 'viewer' then array[
            'mail:read', 'mailboxes:read', 'domains:read', 'webhooks:read', 'usage:read'
        ]
        else array[]::text[]
    end;
$$;

revoke execute on function mailpipe.role_scopes(text) from public, anon, authenticated;
grant execute on function mailpipe.role_scopes(text) to mailpipe_tenant;

-- A session counts while Auth still knows it: a sign-out, a ban and a removal hold at the next call.
create function mailpipe.assert_session(p_user_id uuid, p_session_id uuid)
returns void
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select
        from auth.sessions as session
        join auth.users as account on account.id = session.user_id
        where session.id = p_session_id
            and session.user_id = p_user_id
            and (session.not_after is null or session.not_after > mailpipe.clock())
            and account.deleted_at is null
            and (account.banned_until is null or account.banned_until <= mailpipe.clock())
            and not coalesce(account.is_anonymous, false)
    ) then
        raise sqlstate 'PT401' using message = 'invalid_credential';
    end if;
end;
$$;

revoke execute on function mailpipe.assert_session(uuid, uuid) from public, anon, authenticated;
-- Granted to nobody: only authenticate reads auth.

create function mailpipe.session_caller(p_caller jsonb)
returns mailpipe.caller
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    chosen constant text := p_caller ->> 'organization_id';
    memberships mailpipe.members[];
begin
    perform mailpipe.assert_session((p_caller ->> 'user_id')::uuid, (p_caller ->> 'session_id')::uuid);

    select coalesce(array_agg(member), '{}')
    into memberships
    from mailpipe.members as member
    where member.user_id = (p_caller ->> 'user_id')::uuid
        and (chosen is null or member.organization_id = chosen);

    if cardinality(memberships) = 0 and chosen is not null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'organization';
    end if;
    if cardinality(memberships) <> 1 then
        raise sqlstate 'PT400' using message = 'organization_required';
    end if;
    return row(
        'session',
        p_caller ->> 'user_id',
        memberships[1].organization_id,
        coalesce(p_caller ->> 'environment', 'live'),
        mailpipe.role_scopes(memberships[1].role),
        memberships[1].role
    )::mailpipe.caller;
end;
$$;

revoke execute on function mailpipe.session_caller(jsonb) from public, anon, authenticated;
-- Granted to nobody: only authenticate looks a caller up.
