-- What: taking the master key out, wrapped to a passphrase, and bringing it into another project.
-- Why: a restore into another project has another Vault, where nothing of ours opens.
-- Locks: none on existing objects.

-- ASCII armour that gpg opens too.
create function mailpipe.wrap_master_key(p_version int, p_passphrase text)
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select extensions.armor(
        extensions.pgp_sym_encrypt(
            mailpipe.master_key(p_version),
            p_passphrase,
            -- A person chose the passphrase, so each guess shall cost: the highest count there is.
            'cipher-algo=aes256, s2k-mode=3, s2k-digest-algo=sha256, s2k-count=65011712, compress-algo=0'
        ),
        array['Comment'],
        array[concat('Mailpipe master key, version ', p_version)]
    );
$$;

revoke execute on function mailpipe.wrap_master_key(int, text) from public, anon, authenticated;
-- Granted to nobody: handing the master key out stands on it.

-- The newest version, once. Written down in every organization, because it opens them all.
create function mailpipe.hand_out_master_key(p_passphrase text, p_actor_kind text, p_actor_id text)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    newest constant int := (select max(master.version) from mailpipe.master_keys as master);
begin
    if p_passphrase is null or char_length(p_passphrase) not between 16 and 200 then
        raise sqlstate 'PT422' using message = 'invalid_request', detail = 'passphrase: must be 16 to 200 characters';
    end if;
    -- A backup of these minutes needs two versions, and each leaves once.
    if exists (select from mailpipe.data_keys as keys where keys.master_key_version < newest) then
        raise sqlstate 'PT409' using message = 'rotation_running', detail = 'data keys are still being re-wrapped';
    end if;

    update mailpipe.master_keys
    set taken_out_at = mailpipe.clock()
    where version = newest
        and taken_out_at is null;
    if not found then
        raise sqlstate 'PT409' using message = 'master_key_taken_out', detail = concat('version ', newest);
    end if;

    insert into mailpipe.audit (organization_id, actor_kind, actor_id, action, detail)
    select organization.id, p_actor_kind, p_actor_id, 'master_key.taken_out', jsonb_build_object('version', newest)
    from mailpipe.organizations as organization;

    return jsonb_build_object('version', newest, 'wrapped', mailpipe.wrap_master_key(newest, p_passphrase));
end;
$$;

revoke execute on function mailpipe.hand_out_master_key(text, text, text) from public, anon, authenticated;
-- Granted to nobody: the operator takes it out, or an owner of everything.

create function mailpipe.take_out_master_key(p_passphrase text)
returns text
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    select mailpipe.hand_out_master_key(p_passphrase, 'operator', session_user) ->> 'wrapped';
$$;

revoke execute on function mailpipe.take_out_master_key(text) from public, anon, authenticated;
-- Granted to nobody: the operator calls it as postgres.

create function mailpipe.opens(p_sealed bytea, p_secret text)
returns boolean
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return extensions.pgp_sym_decrypt(p_sealed, p_secret) is not null;
exception
    when external_routine_invocation_exception then
        return false;
end;
$$;

revoke execute on function mailpipe.opens(bytea, text) from public, anon, authenticated;
-- Granted to nobody: bringing a master key in stands on it.

create function mailpipe.unwrap_master_key(p_wrapped text, p_passphrase text)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return extensions.pgp_sym_decrypt(extensions.dearmor(p_wrapped), p_passphrase);
exception
    when external_routine_invocation_exception then
        raise invalid_password using
            message = 'wrong_passphrase',
            detail = 'the passphrase is wrong, or the wrapped key is not as it was handed out';
end;
$$;

revoke execute on function mailpipe.unwrap_master_key(text, text) from public, anon, authenticated;
-- Granted to nobody: bringing a master key in stands on it.

create function mailpipe.bring_in_master_key(p_version int, p_wrapped text, p_passphrase text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    secret constant text := mailpipe.unwrap_master_key(p_wrapped, p_passphrase);
    found_keys bigint;
    opened_keys bigint;
begin
    lock table mailpipe.master_keys in exclusive mode;
    select count(*), count(*) filter (where mailpipe.opens(keys.wrapped, secret))
    into found_keys, opened_keys
    from mailpipe.data_keys as keys
    where keys.master_key_version = p_version;

    -- Without a data key to try it on, a mistyped version would become the newest.
    if found_keys = 0 or opened_keys < found_keys then
        raise invalid_parameter_value using
            message = 'wrong_master_key',
            detail = format('it opens %s of the %s data keys of version %s', opened_keys, found_keys, p_version);
    end if;

    insert into mailpipe.master_keys (version, vault_secret_id, taken_out_at)
    values (p_version, mailpipe.store_master_key(p_version, secret), mailpipe.clock())
    on conflict (version) do update
        set vault_secret_id = excluded.vault_secret_id;
end;
$$;

revoke execute on function mailpipe.bring_in_master_key(int, text, text) from public, anon, authenticated;
-- Granted to nobody: the operator calls it as postgres in the project restored into.
