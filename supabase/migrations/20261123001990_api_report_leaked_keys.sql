-- What: report_leaked_keys.
-- Why: whoever finds a key can have it revoked, and learns nothing by trying: the answer is always the same.
-- Locks: none on existing objects.

-- Revokes one key that was found, with all that descends from it and every successor it made of itself, and tells.
create function mailpipe.revoke_leaked(p_key mailpipe.api_keys, p_source_url text, p_source_host text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    reporter constant mailpipe.caller := row(
        'report', 'report-leaked-key', p_key.organization_id, p_key.environment, '{}', null
    );
    found_at constant jsonb := jsonb_build_object('source_host', p_source_host, 'source_url', p_source_url);
    fallen text[];
begin
    perform mailpipe.mark_exposed(p_key, '{"how": "reported"}' || found_at);
    fallen := mailpipe.fell_keys(p_key.organization_id, p_key.environment, array[p_key.id], true, true);
    perform mailpipe.cancel_queued(p_key.organization_id, p_key.environment, fallen);
    perform mailpipe.record_audit(reporter, 'key.revoked', fell, found_at - 'source_url')
    from unnest(fallen) as fell;
    perform mailpipe.tell_of_key(
        key, 'key.revoked', '{"revoked_by": "report-leaked-key"}' || found_at
    )
    from mailpipe.api_keys as key
    where key.id = any (fallen);
    perform mailpipe.notify_owners(
        p_key.organization_id,
        'An API key was found in the open and revoked',
        format(
            e'The key "%s" (%s, ending in %s) was reported as leaked and is revoked, with %s keys that came from it.\n'
            'Found at: %s\nWhat it had queued was cancelled. Issue a new key where this one was in use.\n',
            p_key.name, p_key.id, p_key.last_four, cardinality(fallen) - 1, coalesce(p_source_url, 'not said')
        )
    );
end;
$$;

revoke execute on function mailpipe.revoke_leaked(mailpipe.api_keys, text, text) from public, anon, authenticated;
-- Granted to nobody: report_leaked_keys reaches it through find_leaked.

create function mailpipe.find_leaked(p_request jsonb)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    key mailpipe.api_keys;
begin
    -- The address is hashed: it is only compared, and never shown. Reports without one share a window.
    perform mailpipe.take(
        'report:' || encode(sha256(convert_to(coalesce(p_request ->> 'address', ''), 'UTF8')), 'hex'),
        'report', row(null, 10, null, null)::mailpipe.limits, 1
    );
    for key in
        select known.*
        from mailpipe.api_keys as known
        where known.hash in (
            select decode(reported, 'hex')
            from jsonb_array_elements_text(p_request -> 'key_hashes') as reported
        )
            and known.revoked_at is null
            and (known.expires_at is null or known.expires_at > mailpipe.clock())
        order by known.id
    loop
        perform mailpipe.revoke_leaked(key, p_request ->> 'source_url', p_request ->> 'source_host');
    end loop;
end;
$$;

revoke execute on function mailpipe.find_leaked(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.find_leaked(jsonb) to mailpipe_tenant;

create function mailpipe_api.report_leaked_keys(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'public');
begin
    perform mailpipe.find_leaked(p_request);
    return '{}';
end;
$$;

revoke execute on function mailpipe_api.report_leaked_keys(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.report_leaked_keys(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.report_leaked_keys(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
