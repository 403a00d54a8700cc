-- What: record_refusal: what a refused request leaves behind, written once its answer is decided.
-- Why: raising rolls back, so a refusal's own call cannot leave a trace; and a dead key's answer must not take longer.
-- Locks: none on existing objects.

-- A line of audit for a refusal, at most once an hour for the same key and reason: a flood does not fill the log.
create function mailpipe.audit_refusal(p_key mailpipe.api_keys, p_reason text, p_detail text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    facts constant jsonb := jsonb_build_object('reason', p_reason, 'detail', p_detail);
begin
    if exists (
        select
        from mailpipe.audit as known
        where known.organization_id = p_key.organization_id
            and known.subject_id = p_key.id
            and known.action = 'key.refused'
            and known.detail = facts
            and known.created_at > mailpipe.clock() - interval '1 hour'
    ) then
        return;
    end if;
    perform mailpipe.record_audit(mailpipe.key_as_caller(p_key), 'key.refused', p_key.id, facts);
end;
$$;

revoke execute on function mailpipe.audit_refusal(mailpipe.api_keys, text, text) from public, anon, authenticated;
-- Granted to nobody: only recording a refusal writes it.

create function mailpipe.spring_honey(p_key mailpipe.api_keys)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.api_keys as key
    set honey_used_at = mailpipe.clock()
    where key.id = p_key.id
        and key.honey_used_at is null;
    if not found then
        return;
    end if;
    perform mailpipe.record_audit(mailpipe.key_as_caller(p_key), 'key.honey_used', p_key.id, '{}');
    perform mailpipe.tell_of_key(p_key, 'key.honey_used', '{}');
end;
$$;

revoke execute on function mailpipe.spring_honey(mailpipe.api_keys) from public, anon, authenticated;
-- Granted to nobody: only recording a refusal springs it.

create function mailpipe.note_refusal(p_hash text, p_refusal jsonb)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    code constant text := p_refusal ->> 'code';
    key mailpipe.api_keys;
begin
    select known.*
    into key
    from mailpipe.api_keys as known
    where known.hash = decode(p_hash, 'hex');

    case
        when key.id is null then
            return;
        when key.revoked_at is not null then
            perform mailpipe.audit_refusal(key, 'revoked', code);
        when key.honey then
            perform mailpipe.spring_honey(key);
        when not mailpipe.is_live(key) then
            perform mailpipe.audit_refusal(key, 'expired', code);
        when code in ('key_in_browser', 'key_misplaced', 'https_required') then
            perform mailpipe.mark_exposed(key, jsonb_build_object('how', code));
        when code in ('scope_missing', 'fence_violated') then
            -- Scopes, or the fence's name: what stands behind it may name an address, which an audit line never holds.
            perform mailpipe.audit_refusal(key, code, split_part(p_refusal ->> 'detail', ': ', 1));
        else
            null;
    end case;
    -- A request whose first call went well was counted by that; what was raised took its count back.
    if mailpipe.is_live(key) and not (p_refusal ->> 'counted')::boolean then
        perform mailpipe.take_for_key(key.limited_by, false);
    end if;
    perform mailpipe.count_use(key.id, null, 0, 1);
end;
$$;

revoke execute on function mailpipe.note_refusal(text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.note_refusal(text, jsonb) to mailpipe_tenant;

-- p_refusal is { code, detail, counted, key_hashes }: the keys the request showed, up to ten.
create function mailpipe_api.record_refusal(p_caller jsonb, p_refusal jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'public');
begin
    perform mailpipe.note_refusal(hash, p_refusal)
    from jsonb_array_elements_text(p_refusal -> 'key_hashes') as hash;
    return '{}';
end;
$$;

revoke execute on function mailpipe_api.record_refusal(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.record_refusal(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.record_refusal(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
