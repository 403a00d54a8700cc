-- What: master keys in Vault, and one data key per organization, wrapped.
-- Why: a dump without this project's Vault opens nothing.
-- Locks: none on existing objects.

create table mailpipe.master_keys (
    version int not null,
    vault_secret_id uuid not null,
    -- A person may have it once, wrapped to a passphrase.
    taken_out_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint master_keys_pkey primary key (version),
    constraint master_keys_version_positive check (version > 0)
);

alter table mailpipe.master_keys enable row level security;
alter table mailpipe.master_keys force row level security;

create table mailpipe.data_keys (
    organization_id text collate "C" not null,
    master_key_version int not null,
    wrapped bytea not null,
    created_at timestamptz not null default mailpipe.clock(),
    constraint data_keys_pkey primary key (organization_id),
    constraint data_keys_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint data_keys_master_key foreign key (master_key_version)
        references mailpipe.master_keys (version),
    -- Byte 3 of an OpenPGP symmetric packet names the cipher; 9 is AES-256 (RFC 4880 §9.2). Byte 4 is how the key is
    -- derived; 1 is one hash, where 3 would let whoever writes a row choose how long it takes to open (§3.7.1).
    constraint data_keys_aes256 check (get_byte(wrapped, 3) = 9 and get_byte(wrapped, 4) = 1)
);

create index data_keys_of_master_key on mailpipe.data_keys (master_key_version);
alter table mailpipe.data_keys enable row level security;
alter table mailpipe.data_keys force row level security;

create function mailpipe.store_master_key(p_version int, p_secret text)
returns uuid
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select vault.create_secret(
        p_secret,
        concat('mailpipe_master_key_v', p_version, '_', gen_random_uuid()),
        'Mailpipe: wraps the data key of every organization. Without it no sealed column opens.'
    );
$$;

revoke execute on function mailpipe.store_master_key(int, text) from public, anon, authenticated;
-- Granted to nobody: the operator's functions stand on it.

-- Made here, inside the database, so that no person and no migration history ever holds one.
create function mailpipe.create_master_key(p_version int)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    insert into mailpipe.master_keys (version, vault_secret_id)
    select p_version, mailpipe.store_master_key(p_version, encode(extensions.gen_random_bytes(32), 'hex'));
$$;

revoke execute on function mailpipe.create_master_key(int) from public, anon, authenticated;
-- Granted to nobody: the operator's functions stand on it.

select mailpipe.create_master_key(1);

select
    vault.create_secret(
        'mpw_' || encode(extensions.gen_random_bytes(32), 'hex'),
        'mailpipe_worker_secret',
        'Mailpipe: pg_cron wakes the workers with it.'
    )
where not exists (select from vault.secrets where name = 'mailpipe_worker_secret');

create function mailpipe.master_key(p_version int)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    secret text;
begin
    select vaulted.decrypted_secret
    into secret
    from mailpipe.master_keys as master
    join vault.decrypted_secrets as vaulted on vaulted.id = master.vault_secret_id
    where master.version = p_version;

    if secret is null then
        raise sqlstate 'PT503' using
            message = 'master_key_missing',
            detail = format('version %s is not in this project''s Vault', p_version);
    end if;
    return secret;
end;
$$;

revoke execute on function mailpipe.master_key(int) from public, anon, authenticated;
-- Granted to nobody: only sealing, as its owner, reads a master key.

create function mailpipe.is_in_vault(p_version int)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return exists (
        select
        from mailpipe.master_keys as master
        join vault.secrets as secret on secret.id = master.vault_secret_id
        where master.version = p_version
    );
end;
$$;

revoke execute on function mailpipe.is_in_vault(int) from public, anon, authenticated;
-- Granted to nobody: the operator's view stands on it.

create function mailpipe.create_data_key(p_organization_id text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- A rotation and this wait for one another, so no key comes under a version that was just replaced.
    lock table mailpipe.master_keys in row share mode;

    insert into mailpipe.data_keys (organization_id, master_key_version, wrapped)
    select
        p_organization_id,
        newest.version,
        -- The passphrase is 256 random bits: iterated S2K would add 70 times the cost and no strength.
        extensions.pgp_sym_encrypt(
            encode(extensions.gen_random_bytes(32), 'hex'),
            mailpipe.master_key(newest.version),
            'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
        )
    from (select max(version) as version from mailpipe.master_keys) as newest;
end;
$$;

revoke execute on function mailpipe.create_data_key(text) from public, anon, authenticated;
-- Granted to nobody: only founding an organization makes one.
