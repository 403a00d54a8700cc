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

-- Whether a packet ends where its length octets say (RFC 4880 §4.2.2). They stand outside of what its hash covers, and
-- pgcrypto reads on past a wrong one.
create function mailpipe.is_whole(p_sealed bytea)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    total constant bigint := octet_length(p_sealed);
    -- A length that begins at the very end is read as zeros.
    octets constant bytea := p_sealed || '\x00000000'::bytea;
    -- Behind the 14 octets that tell cipher and salt, and the tag of the packet.
    place bigint := 15;
    first int;
begin
    loop
        if place >= total then
            return false;
        end if;
        first := get_byte(octets, place::int);
        exit when first < 224 or first = 255;
        place := place + 1 + (1 << (first & 31));
    end loop;

    return total = place + case
        when first < 192 then 1 + first
        when first < 224 then 2 + (first - 192) * 256 + get_byte(octets, place::int + 1) + 192
        else 5 + ('x' || encode(substr(octets, place::int + 2, 4), 'hex'))::bit(32)::bigint
    end;
end;
$$;

revoke execute on function mailpipe.is_whole(bytea) from public, anon, authenticated;
-- Granted to nobody: unsealing stands on it.

create function mailpipe.unseal(p_organization_id text, p_table text, p_id text, p_column text, p_sealed bytea)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    plain text;
begin
    if p_sealed is null then
        return null;
    end if;
    plain := extensions.pgp_sym_decrypt(p_sealed, mailpipe.row_key(p_organization_id, p_table, p_id, p_column));
    if not mailpipe.is_whole(p_sealed) then
        raise external_routine_invocation_exception using message = 'Wrong key or corrupt data';
    end if;
    return plain;
end;
$$;

revoke execute on function mailpipe.unseal(text, text, text, text, bytea) from public, anon, authenticated;
grant execute on function mailpipe.unseal(text, text, text, text, bytea) to mailpipe_worker;

-- The same secret for another column of its row; nobody sees it in between.
create function mailpipe.reseal(p_table text, p_id text, p_from text, p_to text, p_sealed bytea)
returns bytea
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.seal(
        p_table, p_id, p_to,
        mailpipe.unseal(current_setting('mailpipe.organization_id', true), p_table, p_id, p_from, p_sealed)
    );
$$;

revoke execute on function mailpipe.reseal(text, text, text, text, bytea) from public, anon, authenticated;
grant execute on function mailpipe.reseal(text, text, text, text, bytea) to mailpipe_tenant;
