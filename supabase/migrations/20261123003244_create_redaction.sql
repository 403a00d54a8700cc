-- What: finding an address in text and JSON, and taking it out.
-- Why: every trace of a person goes, and nothing that is another's: an address that only ends or begins like it stays.
-- Locks: none on existing objects.

-- The address as it may be spelled in text: `@` plain, percent-encoded or as a character reference. What would make it
-- the end or the beginning of a longer address is not in front of it or behind it.
create function mailpipe.address_pattern(p_address text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select concat(
        '(?<![[:alnum:]._%+-])(?<![[:alnum:]][!#$''*^`{|}~])',
        regexp_replace(
            regexp_replace(p_address, '([!-/:-?[-`{-~])', '\\\1', 'g'), '@(?=[^@]*$)', '(?:@|%40|&#64;|&#x40;)'
        ),
        '(?![[:alnum:]-]|\.[[:alnum:]])'
    );
$$;

revoke execute on function mailpipe.address_pattern(text) from public, anon, authenticated;
-- Granted to nobody: only redaction asks.

-- Text without the address. One that is an address itself goes as a whole or stays as a whole.
create function mailpipe.without(p_text text, p_address text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when lower(p_text) = p_address then '***'
        when p_text ~ '^[^\s<>"(),:;@]+@[^\s<>"(),:;@/?&=]+$' then p_text
        -- Three characters: no address is shorter, so no limit of a column is passed.
        else regexp_replace(p_text, mailpipe.address_pattern(p_address), '***', 'gi')
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
    select concat(
        mailpipe.without(regexp_replace(p_name, '\.[^.@]*$', ''), p_address),
        substring(p_name from '\.[^.@]*$')
    );
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
