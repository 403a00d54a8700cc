-- What: where an address stands in an organization's rows, and taking it out.
-- Why: every trace of a person: whatever column it is in, and whatever column is added later.
-- Locks: none on existing objects.

create function mailpipe.address_pattern(p_address text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select concat(
        '(?<![a-z0-9._%+-])', regexp_replace(p_address, '([!-/:-?[-`{-~])', '\\\1', 'g'), '(?![a-z0-9-]|\.[a-z0-9])'
    );
$$;

revoke execute on function mailpipe.address_pattern(text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

-- Whether a text has the address, and not a longer one that ends or begins with it. What JSON writes for a line break
-- would be a letter in front of it.
create function mailpipe.mentions(p_text text, p_address text)
returns boolean
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select strpos(lower(p_text), p_address) > 0
        and regexp_replace(lower(p_text), '\\[nrtbf]', ' ', 'g') ~ mailpipe.address_pattern(p_address);
$$;

revoke execute on function mailpipe.mentions(text, text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

-- Rows of up to 200 of a table that have the address, by the columns the table is sorted by, and where to go on.
create function mailpipe.mentioned_in(p_table text, p_deletion mailpipe.deletions, p_after jsonb)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    sorting constant text[] := mailpipe.swept(p_table);
    columns constant text := (
        select string_agg(format('%L, held.%I', column_name, column_name), ', ')
        from unnest(sorting) as column_name
    );
    found_ones jsonb;
begin
    execute format(
        'with page as ('
            ' select jsonb_build_object(%s) as place, mailpipe.mentions(held::text, $2) as hit, row_number() over () as number'
            ' from (select held.* from mailpipe.%I as held where held.%I = $1 %s order by %s limit 200) as held'
            ')'
            ' select jsonb_build_object('
            '''places'', coalesce(jsonb_agg(page.place) filter (where page.hit), ''[]''),'
            '''after'', (array_agg(page.place order by page.number) filter (where page.number = 200))[1])'
            ' from page',
        columns,
        p_table,
        case when p_table = 'organizations' then 'id' else 'organization_id' end,
        mailpipe.behind(p_table, sorting, p_after),
        (select string_agg(format('held.%I', column_name), ', ') from unnest(sorting) as column_name)
    )
    into found_ones
    using p_deletion.organization_id, p_deletion.subject;
    return found_ones;
end;
$$;

revoke execute on function mailpipe.mentioned_in(text, mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

-- Tables a person is looked for in, each sorted as an export reads it. The audit log holds ids and never addresses, and
-- its seals would break; key_usage and audit_seals hold no text.
create function mailpipe.swept(p_table text)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case p_table
        when 'idempotency_records' then array['environment', 'key']
        else (
            select known.sorting
            from mailpipe.export_tables() as known
            where known.name = p_table
        )
    end;
$$;

revoke execute on function mailpipe.swept(text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

create function mailpipe.next_swept(p_table text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select (tables.names)[array_position(tables.names, p_table) + 1]
    from (
        select array[
            'messages', 'recipients', 'attachments', 'events', 'early_events', 'inbound_requests', 'attempts', 'threads',
            'mailboxes', 'invitations', 'idempotency_records', 'api_keys', 'providers', 'webhook_endpoints',
            'organizations', 'deliveries', 'members'
        ] as names
    ) as tables;
$$;

revoke execute on function mailpipe.next_swept(text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.
