-- What: how often, when and from which range each key was used.
-- Why: an owner sees whether an old key is still in use; a request pays for that with no write-ahead log.
-- Locks: none on existing objects.

-- What the last minute added. Sixteen rows a key, chosen by connection: requests with one key do not wait for each
-- other. Unlogged, so a crash loses that minute; no foreign keys, because each would lock a row that is logged.
create unlogged table mailpipe.key_uses (
    key_id text collate "C" not null,
    slot smallint not null,
    used int not null,
    refused int not null,
    last_used_at timestamptz,
    last_used_range cidr,
    constraint key_uses_pkey primary key (key_id, slot)
) with (fillfactor = 50);

alter table mailpipe.key_uses enable row level security;
alter table mailpipe.key_uses force row level security;

create table mailpipe.key_usage (
    organization_id text collate "C" not null,
    environment text not null,
    key_id text collate "C" not null,
    used bigint not null,
    refused bigint not null,
    last_used_at timestamptz,
    last_used_range cidr,
    constraint key_usage_pkey primary key (organization_id, environment, key_id),
    constraint key_usage_key foreign key (organization_id, environment, key_id)
        references mailpipe.api_keys (organization_id, environment, id) on delete cascade
);

alter table mailpipe.key_usage enable row level security;
alter table mailpipe.key_usage force row level security;
grant select on mailpipe.key_usage to mailpipe_tenant;

create policy "a caller reads the usage of its organization's keys"
    on mailpipe.key_usage
    for select
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around key usage"
    on mailpipe.key_usage
    as restrictive
    for all
    to mailpipe_tenant
    using (
        organization_id = (select current_setting('mailpipe.organization_id', true))
        and environment = (select current_setting('mailpipe.environment', true))
    )
    with check (
        organization_id = (select current_setting('mailpipe.organization_id', true))
        and environment = (select current_setting('mailpipe.environment', true))
    );

-- A range and not an address: enough to know a network by (/24, or /48 in IPv6).
create function mailpipe.count_use(p_key_id text, p_address inet, p_used int, p_refused int)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    insert into mailpipe.key_uses as known (key_id, slot, used, refused, last_used_at, last_used_range)
    values (
        p_key_id, pg_backend_pid() % 16, p_used, p_refused,
        case when p_used > 0 then mailpipe.clock() end,
        network(set_masklen(p_address, case family(p_address) when 4 then 24 else 48 end))
    )
    on conflict on constraint key_uses_pkey do update
    set
        used = known.used + excluded.used,
        refused = known.refused + excluded.refused,
        last_used_at = coalesce(excluded.last_used_at, known.last_used_at),
        last_used_range = coalesce(excluded.last_used_range, known.last_used_range);
end;
$$;

revoke execute on function mailpipe.count_use(text, inet, int, int) from public, anon, authenticated;
-- Granted to nobody: authenticate counts, and what records a refusal.

-- What is flushed and what is not yet, together; of the pinned tenant's keys only.
create function mailpipe.usage_of(p_key_id text)
returns mailpipe.key_usage
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        key.organization_id,
        key.environment,
        key.id,
        coalesce(max(flushed.used), 0) + coalesce(sum(fresh.used), 0),
        coalesce(max(flushed.refused), 0) + coalesce(sum(fresh.refused), 0),
        greatest(max(flushed.last_used_at), max(fresh.last_used_at)),
        coalesce(
            (
                array_agg(fresh.last_used_range order by fresh.last_used_at desc)
                    filter (where fresh.last_used_range is not null)
            )[1],
            (array_agg(flushed.last_used_range))[1]
        )
    from mailpipe.api_keys as key
    left join mailpipe.key_usage as flushed
        on flushed.organization_id = key.organization_id
        and flushed.environment = key.environment
        and flushed.key_id = key.id
    left join mailpipe.key_uses as fresh on fresh.key_id = key.id
    where key.id = p_key_id
        and key.organization_id = current_setting('mailpipe.organization_id', true)
        and key.environment = current_setting('mailpipe.environment', true)
    group by key.organization_id, key.environment, key.id;
$$;

revoke execute on function mailpipe.usage_of(text) from public, anon, authenticated;
grant execute on function mailpipe.usage_of(text) to mailpipe_tenant;
