-- What: row_key, seal and unseal.
-- Why: a ciphertext moved to another row, column or organization does not open.
-- Locks: none on existing objects.

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
        raise sqlstate 'PT503' using message = 'data_key_missing', detail = concat('organization ', p_organization_id);
    end if;
    return encode(extensions.hmac(concat(p_table, ':', p_id, ':', p_column), data_key, 'sha256'), 'hex');
end;
$$;

revoke execute on function mailpipe.row_key(text, text, text, text) from public, anon, authenticated;
-- Granted to nobody: a row key opens a column, so it stays inside seal and unseal.

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
