-- What: the clock, RFC 3339 text, time-ordered ids, cursors and pages.
-- Why: one source of time that tests can replace, one id format, one list format.
-- Locks: none.

-- Milliseconds, because that is what the edge shows: a cursor built from shown text must be exact.
create function mailpipe.clock()
returns timestamptz
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select date_trunc('milliseconds', now());
$$;

revoke execute on function mailpipe.clock() from public, anon, authenticated;
grant execute on function mailpipe.clock() to mailpipe_tenant, mailpipe_worker;

create function mailpipe.rfc3339(p_time timestamptz)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
$$;

revoke execute on function mailpipe.rfc3339(timestamptz) from public, anon, authenticated;
grant execute on function mailpipe.rfc3339(timestamptz) to mailpipe_tenant, mailpipe_worker;

-- A ULID: 48 bits of time as ten Crockford base-32 characters, then sixteen random ones. The random
-- characters are hexadecimal digits, a subset of the alphabet: 64 bits, and four times faster than 80.
-- Digits 13 and 17 of a version 4 UUID are fixed, so they are left out.
create function mailpipe.new_id(p_prefix text)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    digits constant text := '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    ms constant bigint := (extract(epoch from mailpipe.clock()) * 1000)::bigint;
    random constant text := upper(replace(gen_random_uuid()::text, '-', ''));
begin
    return p_prefix || '_'
        || substr(digits, ((ms >> 45) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 40) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 35) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 30) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 25) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 20) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 15) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 10) & 31)::int + 1, 1)
        || substr(digits, ((ms >> 5) & 31)::int + 1, 1)
        || substr(digits, (ms & 31)::int + 1, 1)
        || left(random, 12)
        || right(random, 4);
end;
$$;

revoke execute on function mailpipe.new_id(text) from public, anon, authenticated;
grant execute on function mailpipe.new_id(text) to mailpipe_tenant, mailpipe_worker;

create type mailpipe.cursor as (
    at timestamptz,
    id text
);

revoke usage on type mailpipe.cursor from public, anon, authenticated, service_role;
grant usage on type mailpipe.cursor to mailpipe_tenant, mailpipe_worker;

-- The place a list goes on from; without a cursor, before everything. Newest first.
create function mailpipe.read_cursor(p_cursor text)
returns mailpipe.cursor
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    parts text[];
begin
    if p_cursor is null then
        return row('infinity', '')::mailpipe.cursor;
    end if;
    if p_cursor !~ '^([0-9a-f]{2}){30,80}$' then
        raise sqlstate 'PT400' using message = 'invalid_cursor';
    end if;
    parts := regexp_match(
        convert_from(decode(p_cursor, 'hex'), 'LATIN1'),
        '^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|([a-z]{3}_[0-9A-Z]{26})$'
    );
    if parts is null then
        raise sqlstate 'PT400' using message = 'invalid_cursor';
    end if;
    return row(parts[1], parts[2])::mailpipe.cursor;
exception
    when datetime_field_overflow or character_not_in_repertoire then
        raise sqlstate 'PT400' using message = 'invalid_cursor';
end;
$$;

revoke execute on function mailpipe.read_cursor(text) from public, anon, authenticated;
grant execute on function mailpipe.read_cursor(text) to mailpipe_tenant, mailpipe_worker;

-- Turns up to p_limit + 1 rows into a page; the extra row only says that there is more.
create function mailpipe.page(p_rows jsonb, p_limit int)
returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    has_more constant boolean := jsonb_array_length(p_rows) > p_limit;
    last constant jsonb := p_rows -> (p_limit - 1);
begin
    return jsonb_build_object(
        'data', case when has_more then p_rows - p_limit else p_rows end,
        'has_more', has_more,
        'next', case
            when has_more
            then encode(convert_to(concat(last ->> 'created_at', '|', last ->> 'id'), 'UTF8'), 'hex')
        end
    );
end;
$$;

revoke execute on function mailpipe.page(jsonb, int) from public, anon, authenticated;
grant execute on function mailpipe.page(jsonb, int) to mailpipe_tenant, mailpipe_worker;
