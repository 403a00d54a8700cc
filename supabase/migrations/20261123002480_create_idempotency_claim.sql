-- What: claim_idempotency_key.
-- Why: one key means at most one message, also among calls that run at the same time.
-- Locks: none on existing objects.

-- What a record keeps of an Idempotency-Key.
create function mailpipe.idempotency_name(p_key text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select encode(sha256(convert_to(p_key, 'UTF8')), 'hex');
$$;

revoke execute on function mailpipe.idempotency_name(text) from public, anon, authenticated;
grant execute on function mailpipe.idempotency_name(text) to mailpipe_tenant;

-- Null when this call is the first with its key; the remembered answer when it is a repeat.
-- A concurrent first call holds the row, so a repeat waits here until that has committed or is gone.
create function mailpipe.claim_idempotency_key(p_me mailpipe.caller, p_key text, p_request jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    name constant text := mailpipe.idempotency_name(p_key);
    print constant bytea := sha256(convert_to(p_request::text, 'UTF8'));
    expiry constant timestamptz := mailpipe.clock() + interval '24 hours';
    known mailpipe.idempotency_records;
begin
    insert into mailpipe.idempotency_records as record (organization_id, environment, key, fingerprint, expires_at)
    values (p_me.organization_id, p_me.environment, name, print, expiry)
    on conflict on constraint idempotency_records_pkey do update
    set
        fingerprint = excluded.fingerprint,
        answer = null,
        expires_at = excluded.expires_at
    where record.expires_at <= mailpipe.clock();
    if found then
        return null;
    end if;

    select record.*
    into known
    from mailpipe.idempotency_records as record
    where record.key = name;

    if known.fingerprint <> print then
        raise sqlstate 'PT409' using message = 'idempotency_key_reused';
    end if;
    return known.answer;
end;
$$;

revoke execute on function mailpipe.claim_idempotency_key(mailpipe.caller, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.claim_idempotency_key(mailpipe.caller, text, jsonb) to mailpipe_tenant;
