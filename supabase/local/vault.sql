-- A stand-in for the extension supabase_vault: same functions, view and grants. Secrets are encrypted at
-- rest under a root key no table holds: one superuser-owned function, which nobody may call, reads it from
-- `vault.key` in the server's data directory. A dump is therefore useless without that file.

create schema vault;
grant usage on schema vault to postgres with grant option;
grant usage on schema vault to service_role;

create table vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text,
    description text not null default '',
    secret text not null,
    key_id uuid,
    nonce bytea,
    created_at timestamptz not null default current_timestamp,
    updated_at timestamptz not null default current_timestamp
);

create unique index secrets_name_idx on vault.secrets (name) where name is not null;

create function vault._root_key()
returns text
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select pg_read_file('vault.key');
$$;

-- The row's id travels inside the ciphertext, so a secret copied onto another row does not open.
create function vault._seal(p_id uuid, p_plain text)
returns text
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    select encode(
        extensions.pgp_sym_encrypt(
            p_id || p_plain,
            vault._root_key(),
            'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
        ),
        'base64'
    );
$$;

create function vault._open(p_id uuid, p_sealed text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_plain text := extensions.pgp_sym_decrypt(decode(p_sealed, 'base64'), vault._root_key());
begin
    if left(v_plain, 36) <> p_id::text then
        raise exception 'secret % was sealed for another row', p_id;
    end if;
    return substr(v_plain, 37);
end;
$$;

create view vault.decrypted_secrets as
select
    id,
    name,
    description,
    secret,
    vault._open(id, secret) as decrypted_secret,
    key_id,
    nonce,
    created_at,
    updated_at
from vault.secrets;

create function vault.create_secret(
    new_secret text,
    new_name text default null,
    new_description text default '',
    new_key_id uuid default null
)
returns uuid
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_id uuid := gen_random_uuid();
begin
    insert into vault.secrets (id, secret, name, description)
    values (v_id, vault._seal(v_id, new_secret), new_name, coalesce(new_description, ''));
    return v_id;
end;
$$;

create function vault.update_secret(
    secret_id uuid,
    new_secret text default null,
    new_name text default null,
    new_description text default null,
    new_key_id uuid default null
)
returns void
language sql
security definer
set search_path = pg_catalog, pg_temp
as $$
    update vault.secrets
    set secret = coalesce(vault._seal(id, new_secret), secret),
        name = coalesce(new_name, name),
        description = coalesce(new_description, description),
        updated_at = now()
    where id = secret_id;
$$;

revoke execute on all functions in schema vault from public;
grant execute on function vault.create_secret, vault.update_secret, vault._open to postgres, service_role;
grant select, delete on vault.secrets, vault.decrypted_secrets to postgres, service_role;
