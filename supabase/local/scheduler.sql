-- Stand-ins for the extensions pg_cron and pg_net, which plain Postgres does not have: the same signatures,
-- backed by tables. The local stack's ticker runs due cron.job commands as their user and performs the
-- requests of net.http_request_queue. Optional: migrations must apply with and without it.

create schema cron;
grant usage on schema cron to postgres with grant option;

create table cron.job (
    jobid bigint generated always as identity primary key,
    schedule text not null,
    command text not null,
    nodename text not null default 'localhost',
    nodeport int not null default inet_server_port(),
    database text not null default current_database(),
    username text not null default current_user,
    active boolean not null default true,
    jobname text,
    constraint jobname_username_uniq unique (jobname, username)
);

create function cron.schedule(job_name text, schedule text, command text)
returns bigint
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    insert into cron.job (jobname, schedule, command, username)
    values (job_name, schedule, command, session_user)
    on conflict on constraint jobname_username_uniq
        do update set schedule = excluded.schedule, command = excluded.command
    returning jobid;
$$;

create function cron.unschedule(job_name text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from cron.job
    where jobname = job_name
        and username = session_user;
    if not found then
        raise exception 'could not find valid entry for job ''%''', job_name;
    end if;
    return true;
end;
$$;

revoke execute on all functions in schema cron from public;
grant execute on all functions in schema cron to postgres;
grant select on cron.job to postgres with grant option;

create schema net;
grant usage on schema net to postgres, anon, authenticated, service_role;

create unlogged table net.http_request_queue (
    id bigint generated always as identity primary key,
    method text not null,
    url text not null,
    headers jsonb,
    body bytea,
    timeout_milliseconds int not null
);

create function net.http_post(
    url text,
    body jsonb default '{}',
    params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}',
    timeout_milliseconds int default 5000
)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_query text;
    v_id bigint;
begin
    select string_agg(key || '=' || value, '&')
    into v_query
    from jsonb_each_text(params);
    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values (
        'POST',
        concat_ws('?', url, v_query),
        headers,
        convert_to(body::text, 'UTF8'),
        timeout_milliseconds
    )
    returning id into v_id;
    return v_id;
end;
$$;
