-- What: rotating the master key: a new version, the step that re-wraps, the retirement of an old version, and a view.
-- Why: a new master key costs one short step per organization and touches no sealed column.
-- Locks: none on existing objects; rotating and retiring wait for organizations that are just being founded.

create view mailpipe.master_key_rotation
with (security_invoker = true)
as
select
    master.version,
    master.version = max(master.version) over () as newest,
    (
        select count(*)
        from mailpipe.data_keys as keys
        where keys.master_key_version = master.version
    ) as data_keys,
    mailpipe.is_in_vault(master.version) as in_vault,
    master.created_at,
    master.taken_out_at
from mailpipe.master_keys as master;

comment on view mailpipe.master_key_rotation is
    'For the operator: each version of the master key, and how many data keys it still wraps.';

create function mailpipe.rotate_master_key()
returns int
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    next_version int;
begin
    -- Waits for those who are under way with the old version; who comes after reads the new one.
    lock table mailpipe.master_keys in exclusive mode;

    if exists (select from mailpipe.jobs as job where job.kind = 'rewrap_keys') then
        raise sqlstate 'PT409' using
            message = 'rotation_running',
            detail = 'data keys are still being re-wrapped',
            hint = 'select * from mailpipe.master_key_rotation shows how many are left.';
    end if;

    select max(master.version) + 1
    into next_version
    from mailpipe.master_keys as master;

    -- Without the one before, nothing under it could be re-wrapped: refused, naming it.
    perform mailpipe.master_key(next_version - 1);
    perform mailpipe.create_master_key(next_version);

    insert into mailpipe.jobs (kind, subject_id)
    values ('rewrap_keys', 'data_keys');
    return next_version;
end;
$$;

comment on function mailpipe.rotate_master_key() is
    'A new version of the master key: select mailpipe.rotate_master_key(), run as postgres. A job re-wraps the data keys.';

revoke execute on function mailpipe.rotate_master_key() from public, anon, authenticated;
-- Granted to nobody: the operator calls it as postgres.

-- Re-wraps up to p_limit data keys of the oldest version. Repeating it, or two at once, changes no key twice.
create function mailpipe.rewrap_oldest(p_limit int)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    newest constant int := (select max(master.version) from mailpipe.master_keys as master);
    new_secret constant text := mailpipe.master_key(newest);
    oldest constant int := (select min(keys.master_key_version) from mailpipe.data_keys as keys);
    old_secret constant text := case when oldest is not null then mailpipe.master_key(oldest) end;
    rewrapped bigint;
begin
    update mailpipe.data_keys as keys
    set
        master_key_version = newest,
        wrapped = extensions.pgp_sym_encrypt(
            extensions.pgp_sym_decrypt(keys.wrapped, old_secret),
            new_secret,
            'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
        )
    where keys.master_key_version = oldest
        and oldest < newest
        -- An array, because a join is planned by what the table held before the rotation.
        and keys.organization_id = any (array(
            select old_key.organization_id
            from mailpipe.data_keys as old_key
            where old_key.master_key_version = oldest
            limit p_limit
        ));
    get diagnostics rewrapped = row_count;
    return jsonb_build_object(
        'rewrapped', rewrapped,
        'left', (select count(*) from mailpipe.data_keys as keys where keys.master_key_version < newest)
    );
end;
$$;

revoke execute on function mailpipe.rewrap_oldest(int) from public, anon, authenticated;
grant execute on function mailpipe.rewrap_oldest(int) to mailpipe_worker;

create function mailpipe.retire_master_key(p_version int)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    status mailpipe.master_key_rotation;
    secret_id uuid;
begin
    lock table mailpipe.master_keys in exclusive mode;
    select known.*
    into status
    from mailpipe.master_key_rotation as known
    where known.version = p_version;

    if status.version is null then
        raise undefined_object using message = 'master_key_unknown', detail = format('version %s', p_version);
    end if;
    if status.newest or status.data_keys > 0 then
        raise object_in_use using
            message = 'master_key_in_use',
            detail = format('version %s: newest %s, data keys %s', p_version, status.newest, status.data_keys);
    end if;

    delete from mailpipe.master_keys
    where version = p_version
    returning vault_secret_id
    into secret_id;

    delete from vault.secrets
    where id = secret_id;
end;
$$;

revoke execute on function mailpipe.retire_master_key(int) from public, anon, authenticated;
-- Granted to nobody: the operator calls it as postgres. A backup from before opens with this version only.
