-- What: health and its figures.
-- Why: whoever operates the project can see how it is.
-- Locks: none on existing objects.

-- The functions know their own address; pg_cron finds it here.
create function mailpipe.learn_functions_url(p_url text)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
    update mailpipe.settings
    set functions_url = p_url
    where functions_url is distinct from p_url;
$$;

revoke execute on function mailpipe.learn_functions_url(text) from public, anon, authenticated;
grant execute on function mailpipe.learn_functions_url(text) to mailpipe_tenant;

create function mailpipe_api.health(p_caller jsonb, p_functions_url text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'public');
begin
    perform mailpipe.learn_functions_url(p_functions_url);
    return jsonb_build_object('status', 'ok', 'schema_version', mailpipe.schema_version());
end;
$$;

revoke execute on function mailpipe_api.health(jsonb, text) from public, anon, authenticated;
grant execute on function mailpipe_api.health(jsonb, text) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.health(jsonb, text) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe.queue_figures()
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_object_agg(
            waiting.kind,
            jsonb_build_object(
                'due', waiting.due,
                'waiting', waiting.total,
                'oldest_due_at', mailpipe.rfc3339(waiting.oldest)
            )
        ),
        '{}'
    )
    from (
        select
            job.kind,
            count(*) filter (where job.due_at <= mailpipe.clock()) as due,
            count(*) as total,
            min(job.due_at) filter (where job.due_at <= mailpipe.clock()) as oldest
        from mailpipe.jobs as job
        group by job.kind
    ) as waiting;
$$;

revoke execute on function mailpipe.queue_figures() from public, anon, authenticated;
grant execute on function mailpipe.queue_figures() to mailpipe_tenant, mailpipe_worker;

create function mailpipe_api.tenant_health(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'usage:read');
begin
    return jsonb_build_object(
        'queue', mailpipe.queue_figures(),
        'providers', (
            select coalesce(jsonb_agg(mailpipe.show_provider(provider) order by provider.id), '[]')
            from mailpipe.providers as provider
            where provider.removed_at is null
        )
    );
end;
$$;

revoke execute on function mailpipe_api.tenant_health(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.tenant_health(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.tenant_health(jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

create function mailpipe_api.worker_health(p_caller jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
begin
    return jsonb_build_object('queue', mailpipe.queue_figures());
end;
$$;

revoke execute on function mailpipe_api.worker_health(jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.worker_health(jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.worker_health(jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
