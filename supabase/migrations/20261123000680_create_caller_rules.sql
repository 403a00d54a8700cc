-- What: what a key fenced to mailboxes may not reach, and what asks for a role.
-- Why: a scope says what may be done; these say who else may not do it.
-- Locks: none on existing objects.

-- Pins a key to its mailboxes. What reads other mailboxes' mail, or every one's, is closed to it.
create function mailpipe.pin_mailboxes(p_key_id text, p_mailboxes text[], p_need text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_need in ('webhooks:read', 'webhooks:write', 'providers:write', 'data:export', 'data:delete') then
        raise sqlstate 'PT403' using
            message = 'fence_violated',
            detail = concat('mailboxes: ', p_need, ' reaches beyond the mailboxes the key is for');
    end if;
    perform mailpipe.pin('mailpipe.mailboxes', array_to_string(p_mailboxes, ' '));
    perform mailpipe.pin('mailpipe.key_id', p_key_id);
end;
$$;

revoke execute on function mailpipe.pin_mailboxes(text, text[], text) from public, anon, authenticated;
-- Granted to nobody: only looking a key up pins it.

-- Each role may what those below it may. Organizations, members and audit have no scope, so no key reaches them.
create function mailpipe.assert_role(p_me mailpipe.caller, p_need text)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    roles constant text[] := array['viewer', 'member', 'admin', 'owner'];
begin
    if p_me.kind = 'key' then
        raise sqlstate 'PT403' using message = 'session_required';
    end if;
    if coalesce(array_position(roles, p_me.role) < array_position(roles, p_need), true) then
        raise sqlstate 'PT403' using message = 'role_missing', detail = p_need;
    end if;
end;
$$;

revoke execute on function mailpipe.assert_role(mailpipe.caller, text) from public, anon, authenticated;
grant execute on function mailpipe.assert_role(mailpipe.caller, text) to mailpipe_tenant;
