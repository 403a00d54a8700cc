-- What: master keys in Vault, one data key per organization, and the pair that seals and opens a column.
-- Why: a dump without this project's Vault opens nothing, and a ciphertext moved to another row does not open.
-- Locks: none on existing objects.

create table mailpipe.master_keys (
    version int not null,
    vault_secret_id uuid not null,
    created_at timestamptz not null default mailpipe.clock(),
    constraint master_keys_pkey primary key (version)
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
    -- Byte 3 of an OpenPGP symmetric packet names the cipher; 9 is AES-256 (RFC 4880 §9.2).
    constraint data_keys_aes256 check (get_byte(wrapped, 3) = 9)
);

create index data_keys_of_master_key on mailpipe.data_keys (master_key_version);
alter table mailpipe.data_keys enable row level security;
alter table mailpipe.data_keys force row level security;

-- Made here, inside the database, so that no person and no migration history ever holds them.
insert into mailpipe.master_keys (version, vault_secret_id)
select
    1,
    vault.create_secret(
        encode(extensions.gen_random_bytes(32), 'hex'),
        'mailpipe_master_key_v1_' || gen_random_uuid(),
        'Mailpipe: wraps the data key of every organization. Without it no sealed column opens.'
    );

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

create function mailpipe.create_data_key(p_organization_id text)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
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
$$;

revoke execute on function mailpipe.create_data_key(text) from public, anon, authenticated;

-- The key of one column of one row: hmac(data key, table ‖ ':' ‖ id ‖ ':' ‖ column).
create function mailpipe.row_key(p_organization_id text, p_table text, p_id text, p_column text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    data_key text;
begin
    select extensions.pgp_sym_decrypt(keys.wrapped, mailpipe.master_key(keys.master_key_version))
    into data_key
    from mailpipe.data_keys as keys
    where keys.organization_id = p_organization_id;

    if data_key is null then
        raise sqlstate 'PT503' using message = 'data_key_missing', detail = p_organization_id;
    end if;
    return encode(extensions.hmac(concat(p_table, ':', p_id, ':', p_column), data_key, 'sha256'), 'hex');
end;
$$;

revoke execute on function mailpipe.row_key(text, text, text, text) from public, anon, authenticated;

-- Encrypts for the pinned organization only, whatever the caller's role.
create function mailpipe.seal(p_table text, p_id text, p_column text, p_plain text)
returns bytea
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select extensions.pgp_sym_encrypt(
        p_plain,
        mailpipe.row_key(current_setting('mailpipe.organization_id', true), p_table, p_id, p_column),
        'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
    );
$$;

revoke execute on function mailpipe.seal(text, text, text, text) from public, anon, authenticated;
grant execute on function mailpipe.seal(text, text, text, text) to mailpipe_tenant;

create function mailpipe.unseal(p_organization_id text, p_table text, p_id text, p_column text, p_sealed bytea)
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_sealed is not null
        then extensions.pgp_sym_decrypt(
            p_sealed,
            mailpipe.row_key(p_organization_id, p_table, p_id, p_column)
        )
    end;
$$;

revoke execute on function mailpipe.unseal(text, text, text, text, bytea) from public, anon, authenticated;
grant execute on function mailpipe.unseal(text, text, text, text, bytea) to mailpipe_worker;
