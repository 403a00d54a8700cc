-- What: what a key looks like from outside, and the events that tell of one.
-- Why: every call that answers with a key, and every event about one, says the same of it.
-- Locks: none on existing objects.

create function mailpipe.show_fences(p_key mailpipe.api_keys)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'sending_domains', p_key.sending_domains,
        'mailboxes', p_key.mailboxes,
        'recipient_domains', p_key.recipient_domains,
        'ip_ranges', p_key.ip_ranges::text[]
    );
$$;

revoke execute on function mailpipe.show_fences(mailpipe.api_keys) from public, anon, authenticated;
grant execute on function mailpipe.show_fences(mailpipe.api_keys) to mailpipe_tenant;

create function mailpipe.show_limits(p_key mailpipe.api_keys)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object('per_minute', p_key.per_minute, 'per_day', p_key.per_day);
$$;

revoke execute on function mailpipe.show_limits(mailpipe.api_keys) from public, anon, authenticated;
grant execute on function mailpipe.show_limits(mailpipe.api_keys) to mailpipe_tenant;

create function mailpipe.show_key(p_key mailpipe.api_keys)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_key.id,
        'name', p_key.name,
        'environment', p_key.environment,
        'scopes', p_key.scopes,
        'fences', mailpipe.show_fences(p_key),
        'limits', mailpipe.show_limits(p_key),
        'honey', p_key.honey,
        'last_four', p_key.last_four,
        'issued_by', coalesce(p_key.issued_by_key, p_key.issued_by_user::text),
        'expires_at', mailpipe.rfc3339(p_key.expires_at),
        'created_at', mailpipe.rfc3339(p_key.created_at)
    );
$$;

revoke execute on function mailpipe.show_key(mailpipe.api_keys) from public, anon, authenticated;
grant execute on function mailpipe.show_key(mailpipe.api_keys) to mailpipe_tenant;

-- A key as the actor of what is recorded about its use.
create function mailpipe.key_as_caller(p_key mailpipe.api_keys)
returns mailpipe.caller
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select row('key', p_key.id, p_key.organization_id, p_key.environment, p_key.scopes, null)::mailpipe.caller;
$$;

revoke execute on function mailpipe.key_as_caller(mailpipe.api_keys) from public, anon, authenticated;
-- Granted to nobody: definer functions record for a key.

-- An event about a key, to the endpoints of the key's own environment.
create function mailpipe.tell_of_key(p_key mailpipe.api_keys, p_type text, p_extra jsonb)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.emit_event(
        p_key.organization_id,
        p_key.environment,
        p_type,
        null,
        jsonb_build_object('key_id', p_key.id, 'name', p_key.name, 'last_four', p_key.last_four) || p_extra,
        true
    );
$$;

revoke execute on function mailpipe.tell_of_key(mailpipe.api_keys, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.tell_of_key(mailpipe.api_keys, text, jsonb) to mailpipe_tenant;
