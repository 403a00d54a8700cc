-- What: finding an address in text and JSON, and taking it out.
-- Why: every trace of a person goes, and nothing that is another's: an address that only ends or begins like it stays.
-- Locks: none on existing objects.

-- The address as it may be spelled in text: signs plain, percent-encoded or as a character reference. What stands in
-- front of it is caught, so that it can be put back: a look behind takes quadratic time in PostgreSQL.
create function mailpipe.address_pattern(p_address text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select concat(
        '(^|[^[:alnum:].!#$%''*+^_`{|}~-]|(?:^|[^[:alnum:]])[!#$''*^`{|}~]|%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrt])',
        replace(
            replace(
                regexp_replace(
                    regexp_replace(p_address, '([!-/:-?[-`{-~])', '\\\1', 'g'),
                    '@(?=[^@]*$)', '(?:@|%40|&#64;|&#x40;)'
                ),
                '\+', '(?:\+|%2b|&#43;)'
            ),
            '\''', '(?:''|%27|&#39;|&#x27;|&apos;)'
        )
    );
$$;

revoke execute on function mailpipe.address_pattern(text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.

-- Text without the address. One that is an address itself goes as a whole or stays as a whole; elsewhere what goes on
-- like a longer domain is another's.
create function mailpipe.without(p_text text, p_address text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when lower(p_text) = p_address then '***'
        when p_text ~ '^[[:alnum:].!#$%&''*+/=?^_`{|}~-]+@[[:alnum:].-]*[[:alnum:]]$' then p_text
        -- Three characters: no address is shorter, so no limit of a column is passed.
        else regexp_replace(
            p_text, mailpipe.address_pattern(p_address) || '(?![[:alnum:]-]|\.[[:alnum:]])', '\1***', 'gi'
        )
    end;
$$;

revoke execute on function mailpipe.without(text, text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.

-- A file's name ends in what would be a longer domain.
create function mailpipe.without_in_filename(p_name text, p_address text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select regexp_replace(p_name, mailpipe.address_pattern(p_address) || '(?![[:alnum:]])', '\1***', 'gi');
$$;

revoke execute on function mailpipe.without_in_filename(text, text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.

-- The list without what is the address, and the address out of what has it.
create function mailpipe.without_in_list(p_texts text[], p_address text)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    -- None stays none: an empty list would be another fence of a key.
    select case
        when p_texts is not null then array(
            select mailpipe.without(each.text, p_address)
            from unnest(p_texts) with ordinality as each (text, place)
            where lower(each.text) <> p_address
            order by each.place
        )
    end;
$$;

revoke execute on function mailpipe.without_in_list(text[], text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.

-- Every text in it, names of fields among them, without the address.
create function mailpipe.without_in_json(p_value jsonb, p_address text)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return case jsonb_typeof(p_value)
        when 'string' then to_jsonb(mailpipe.without(p_value #>> '{}', p_address))
        when 'array' then (
            select coalesce(jsonb_agg(mailpipe.without_in_json(each.value, p_address) order by each.place), '[]')
            from jsonb_array_elements(p_value) with ordinality as each (value, place)
        )
        when 'object' then (
            select coalesce(
                jsonb_object_agg(mailpipe.without(each.key, p_address), mailpipe.without_in_json(each.value, p_address)),
                '{}'
            )
            from jsonb_each(p_value) as each
        )
        else p_value
    end;
end;
$$;

revoke execute on function mailpipe.without_in_json(jsonb, text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.
