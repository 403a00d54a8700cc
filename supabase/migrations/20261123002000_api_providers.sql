-- What: create, list, update and delete providers, and open a connection for receive-webhook.
-- Why: a credential goes in sealed and comes out for workers only.
-- Locks: none on existing objects.

create function mailpipe.show_provider(p_provider mailpipe.providers)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_provider.id,
        'kind', p_provider.kind,
        'name', p_provider.name,
        'environment', p_provider.environment,
        'default', p_provider.is_default,
        'created_at', mailpipe.rfc3339(p_provider.created_at)
    );
$$;

revoke execute on function mailpipe.show_provider(mailpipe.providers) from public, anon, authenticated;
grant execute on function mailpipe.show_provider(mailpipe.providers) to mailpipe_tenant;

create function mailpipe.make_default(p_id text)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    update mailpipe.providers
    set is_default = false
    where is_default
        and id <> p_id;

    update mailpipe.providers
    set is_default = true
    where id = p_id;
$$;

revoke execute on function mailpipe.make_default(text) from public, anon, authenticated;
grant execute on function mailpipe.make_default(text) to mailpipe_tenant;

create function mailpipe_api.create_provider(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'providers:write');
    new_id text := mailpipe.new_id('prv');
    is_first boolean;
    made mailpipe.providers;
begin
    perform mailpipe.assert_environment(me, p_request ->> 'environment');
    if me.environment = 'test' then
        raise sqlstate 'PT422' using
            message = 'invalid_request',
            detail = 'environment: the test environment sends to the built-in sandbox and takes no provider';
    end if;
    is_first := not exists (select from mailpipe.providers where removed_at is null);

    insert into mailpipe.providers (
        id, organization_id, environment, kind, name, is_default, credentials, inbound_token_hash, inbound_secret
    )
    values (
        new_id, me.organization_id, me.environment, p_request ->> 'kind', p_request ->> 'name', false,
        mailpipe.seal('providers', new_id, 'credentials', (p_request -> 'credentials')::text),
        decode(p_request ->> 'inbound_token_hash', 'hex'),
        mailpipe.seal('providers', new_id, 'inbound_secret', p_request ->> 'inbound_secret')
    );
    if is_first or (p_request ->> 'default')::boolean then
        perform mailpipe.make_default(new_id);
    end if;

    select provider.*
    into made
    from mailpipe.providers as provider
    where provider.id = new_id;
    perform mailpipe.record_audit(me, 'provider.connected', new_id, jsonb_build_object('kind', made.kind));
    return mailpipe.show_provider(made);
end;
$$;

revoke execute on function mailpipe_api.create_provider(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.create_provider(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.create_provider(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.list_providers(p_caller jsonb, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'providers:read');
    place mailpipe.cursor := mailpipe.read_cursor(p_request ->> 'cursor');
    how_many int := (p_request ->> 'limit')::int;
begin
    return mailpipe.page(
        (
            select coalesce(jsonb_agg(listed.shown order by listed.created_at desc, listed.id desc), '[]')
            from (
                select provider.id, provider.created_at, mailpipe.show_provider(provider) as shown
                from mailpipe.providers as provider
                where provider.removed_at is null
                    and (place.id = '' or (provider.created_at, provider.id) < (place.at, place.id))
                order by provider.created_at desc, provider.id desc
                limit how_many + 1
            ) as listed
        ),
        how_many
    );
end;
$$;

revoke execute on function mailpipe_api.list_providers(jsonb, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.list_providers(jsonb, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.list_providers(jsonb, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
