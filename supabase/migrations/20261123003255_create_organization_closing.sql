-- What: closing an organization that is deleted.
-- Why: first nobody gets in any more, then row by row everything goes.
-- Locks: none on existing objects.

create function mailpipe.count_people(p_organization_id text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'members', (
            select count(*)
            from mailpipe.members as member
            where member.organization_id = p_organization_id
        ),
        'invitations', (
            select count(*)
            from mailpipe.invitations as invitation
            where invitation.organization_id = p_organization_id
        )
    );
$$;

revoke execute on function mailpipe.count_people(text) from public, anon, authenticated;
-- Granted to nobody: only deletions count.

-- Counters have no column for whose they are.
create function mailpipe.remove_counters(p_organization_id text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    keys constant text[] := array(
        select key.id
        from mailpipe.api_keys as key
        where key.organization_id = p_organization_id
    );
    windows constant text[] := p_organization_id || array(
        select key.window_id
        from mailpipe.api_keys as key
        where key.organization_id = p_organization_id
    );
begin
    delete from mailpipe.key_uses
    where key_id = any (keys);
    delete from mailpipe.rate_windows
    where subject_id = any (windows);
    delete from mailpipe.saved_windows
    where subject_id = any (windows);
end;
$$;

revoke execute on function mailpipe.remove_counters(text) from public, anon, authenticated;
-- Granted to nobody: only deletions remove.

-- Nobody gets in any more, by session, key or provider; nothing new is begun.
create function mailpipe.close_organization(p_deletion mailpipe.deletions)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    delete from mailpipe.members
    where organization_id = p_deletion.organization_id;
    delete from mailpipe.invitations
    where organization_id = p_deletion.organization_id;
    update mailpipe.api_keys
    set revoked_at = mailpipe.clock()
    where organization_id = p_deletion.organization_id
        and revoked_at is null;
    update mailpipe.providers
    set
        removed_at = mailpipe.clock(), credentials = null, inbound_token_hash = null, inbound_secret = null,
        is_default = false
    where organization_id = p_deletion.organization_id
        and removed_at is null;
    update mailpipe.webhook_endpoints
    set
        enabled = false,
        disabled_reason = 'closed',
        disabled_at = mailpipe.clock()
    where organization_id = p_deletion.organization_id
        and enabled;
    delete from mailpipe.jobs
    where organization_id = p_deletion.organization_id
        and subject_id <> p_deletion.id;
    delete from mailpipe.deletions
    where organization_id = p_deletion.organization_id
        and id <> p_deletion.id
        and state <> 'done';
$$;

revoke execute on function mailpipe.close_organization(mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only deletions close.
