-- What: pin(), which fences the transaction, and authenticate() over key, session, worker and connection.
-- Why: the tenant of a transaction is set here, once, and cannot be changed to another.
-- Locks: none on existing objects.

create function mailpipe.pin(p_setting text, p_value text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    pinned constant text := current_setting(p_setting, true);
begin
    if pinned <> '' and pinned is distinct from p_value then
        raise sqlstate 'PT403' using message = 'already_pinned', detail = p_setting;
    end if;
    perform set_config(p_setting, p_value, true);
end;
$$;

revoke execute on function mailpipe.pin(text, text) from public, anon, authenticated;
-- Granted to nobody: only authenticate pins a tenant.

-- Both at once, because every request does it.
create function mailpipe.pin_tenant(p_organization_id text, p_environment text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if current_setting('mailpipe.organization_id', true) <> p_organization_id
        and current_setting('mailpipe.organization_id', true) <> ''
    then
        raise sqlstate 'PT403' using message = 'already_pinned', detail = 'mailpipe.organization_id';
    end if;
    if current_setting('mailpipe.environment', true) <> p_environment
        and current_setting('mailpipe.environment', true) <> ''
    then
        raise sqlstate 'PT403' using message = 'already_pinned', detail = 'mailpipe.environment';
    end if;
    perform
        set_config('mailpipe.organization_id', p_organization_id, true),
        set_config('mailpipe.environment', p_environment, true);
end;
$$;

revoke execute on function mailpipe.pin_tenant(text, text) from public, anon, authenticated;
-- Granted to nobody: only authenticate pins a tenant.

create function mailpipe.connection_caller(p_hash text)
returns mailpipe.caller
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller;
begin
    select 'connection', provider.id, provider.organization_id, provider.environment, '{}', null
    into me
    from mailpipe.providers as provider
    where provider.inbound_token_hash = decode(p_hash, 'hex')
        and provider.removed_at is null;

    if me.id is null then
        raise sqlstate 'PT401' using message = 'invalid_credential';
    end if;
    return me;
end;
$$;

revoke execute on function mailpipe.connection_caller(text) from public, anon, authenticated;
-- Granted to nobody: only authenticate looks a caller up.

-- pg_cron shows the worker secret. A function woken with the project's secret key has had that key compared
-- by credentials.ts, and only service_role can execute what asks here.
create function mailpipe.worker_caller(p_caller jsonb)
returns mailpipe.caller
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_caller @> '{"project_secret": true}' or exists (
        select
        from vault.decrypted_secrets as vaulted
        where vaulted.name = 'mailpipe_worker_secret'
            and sha256(convert_to(vaulted.decrypted_secret, 'UTF8')) = decode(p_caller ->> 'worker_hash', 'hex')
    ) then
        return row('worker', 'worker', null, null, '{}', null)::mailpipe.caller;
    end if;
    raise sqlstate 'PT401' using message = 'invalid_credential';
end;
$$;

revoke execute on function mailpipe.worker_caller(jsonb) from public, anon, authenticated;
-- Granted to nobody: only authenticate reads the worker secret.

-- p_need is a scope, a role ('owner', 'admin', 'viewer'), or the kind of caller: 'caller' (any key or member), 'session' (any
-- signed-in user), 'worker', 'connection', 'public' (anybody, pinned to nothing).
create function mailpipe.authenticate(p_caller jsonb, p_need text)
returns mailpipe.caller
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller;
begin
    case
        when p_need = 'public' then
            return null;
        when p_need = 'worker' then
            me := mailpipe.worker_caller(p_caller);
            perform mailpipe.pin('mailpipe.worker', 'on');
            return me;
        when p_need = 'session' then
            if p_caller ? 'key_hash' then
                me := mailpipe.key_caller(p_caller, p_need);
                raise sqlstate 'PT403' using message = 'session_required';
            end if;
            perform mailpipe.assert_session((p_caller ->> 'user_id')::uuid, (p_caller ->> 'session_id')::uuid);
            perform mailpipe.pin('mailpipe.user_id', p_caller ->> 'user_id');
            return row('session', p_caller ->> 'user_id', null, null, '{}', null)::mailpipe.caller;
        when p_need = 'connection' then
            me := mailpipe.connection_caller(p_caller ->> 'inbound_hash');
            perform mailpipe.pin('mailpipe.connection_id', me.id);
        when p_caller ? 'key_hash' then
            me := mailpipe.key_caller(p_caller, p_need);
        else
            me := mailpipe.session_caller(p_caller);
    end case;

    if p_need in ('owner', 'admin', 'viewer') then
        perform mailpipe.assert_role(me, p_need);
    elsif p_need not in ('caller', 'connection') and p_need <> all (me.scopes) then
        raise sqlstate 'PT403' using message = 'scope_missing', detail = p_need;
    end if;
    perform mailpipe.pin_tenant(me.organization_id, me.environment);
    return me;
end;
$$;

revoke execute on function mailpipe.authenticate(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe.authenticate(jsonb, text) to mailpipe_tenant, mailpipe_worker;
