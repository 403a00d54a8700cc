-- What: open_connection, for receive-webhook.
-- Why: a provider's signature is verified with what its own connection keeps.
-- Locks: none on existing objects.

create function mailpipe_api.open_connection(p_caller jsonb, p_kind text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'connection');
    opened jsonb;
begin
    select jsonb_build_object(
        'organization_id', provider.organization_id,
        'environment', provider.environment,
        'provider_id', provider.id,
        'provider_kind', provider.kind,
        'credentials', mailpipe.unseal(
            provider.organization_id, 'providers', provider.id, 'credentials', provider.credentials
        )::jsonb,
        'inbound_secret', mailpipe.unseal(
            provider.organization_id, 'providers', provider.id, 'inbound_secret', provider.inbound_secret
        )
    )
    into opened
    from mailpipe.providers as provider
    where provider.id = me.id
        -- An SMTP account receives through kind mime: SMTP itself posts nothing.
        and p_kind = case provider.kind when 'smtp' then 'mime' else provider.kind end;

    if opened is null then
        raise sqlstate 'PT401' using message = 'invalid_credential';
    end if;
    return opened;
end;
$$;

revoke execute on function mailpipe_api.open_connection(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.open_connection(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.open_connection(jsonb, text) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
