-- What: get, update and delete a provider.
-- Why: removing an account that still has mail to send would strand that mail, so it is refused.
-- Locks: none on existing objects.

create function mailpipe.find_provider(p_id text)
returns mailpipe.providers
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    found_one mailpipe.providers;
begin
    select provider.*
    into found_one
    from mailpipe.providers as provider
    where provider.id = p_id
        and provider.removed_at is null
    for update;

    if found_one.id is null then
        raise sqlstate 'PT404' using message = 'not_found', detail = 'provider';
    end if;
    return found_one;
end;
$$;

revoke execute on function mailpipe.find_provider(text) from public, anon, authenticated;
grant execute on function mailpipe.find_provider(text) to mailpipe_tenant;

-- For trying new credentials before they are stored: which kind they must be of.
create function mailpipe_api.get_provider(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'providers:write');
begin
    return mailpipe.show_provider(mailpipe.find_provider(p_id));
end;
$$;

revoke execute on function mailpipe_api.get_provider(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.get_provider(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.get_provider(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.update_provider(p_caller jsonb, p_id text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'providers:write');
    target mailpipe.providers := mailpipe.find_provider(p_id);
begin
    update mailpipe.providers
    set
        name = coalesce(p_request ->> 'name', name),
        credentials = case
            when p_request ? 'credentials'
            then mailpipe.seal('providers', target.id, 'credentials', (p_request -> 'credentials')::text)
            else credentials
        end
    where id = target.id;

    if (p_request ->> 'default')::boolean then
        perform mailpipe.make_default(target.id);
    end if;
    perform mailpipe.record_audit(
        me,
        'provider.changed',
        target.id,
        jsonb_build_object('fields', (select jsonb_agg(field) from jsonb_object_keys(p_request) as field))
    );
    return mailpipe.show_provider(mailpipe.find_provider(p_id));
end;
$$;

revoke execute on function mailpipe_api.update_provider(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.update_provider(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.update_provider(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.delete_provider(p_caller jsonb, p_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'providers:write');
    target mailpipe.providers := mailpipe.find_provider(p_id);
    waiting bigint;
begin
    select count(*)
    into waiting
    from mailpipe.jobs as job
    join mailpipe.messages as message on message.id = job.subject_id
    where job.kind = 'deliver_message'
        and message.provider_id = target.id;

    if waiting > 0 then
        raise sqlstate 'PT409' using
            message = 'provider_in_use',
            detail = format('%s queued messages go out through it', waiting);
    end if;

    update mailpipe.providers
    set
        is_default = false,
        credentials = null,
        inbound_token_hash = null,
        inbound_secret = null,
        removed_at = mailpipe.clock()
    where id = target.id;

    perform mailpipe.record_audit(me, 'provider.removed', target.id, '{}');
    return jsonb_build_object('id', target.id, 'removed', true);
end;
$$;

revoke execute on function mailpipe_api.delete_provider(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.delete_provider(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.delete_provider(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
