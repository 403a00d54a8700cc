-- What: what an export holds of each table, page by page.
-- Why: every table of a tenant is in it but those named here; secrets never are, and are listed as left out.
-- Locks: none on existing objects.

-- In this order; sorted by columns an index has behind the organization. Left out whole: data_keys (wrapped secrets),
-- jobs and idempotency_records (the machine's memory of a day), exports and export_parts (this itself).
create function mailpipe.export_tables()
returns table (place bigint, name text, sorting text[])
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select numbered.place, split_part(numbered.line, ' ', 1), string_to_array(split_part(numbered.line, ' ', 2), ',')
    from unnest(array[
        'organizations id',
        'members user_id',
        'invitations id',
        'api_keys environment,id',
        'key_usage environment,key_id',
        'providers environment,id',
        'mailboxes environment,id',
        'threads environment,id',
        'messages environment,id',
        'recipients environment,message_id,position',
        'attachments environment,message_id,position,id',
        'events environment,id',
        'webhook_endpoints environment,id',
        'deliveries environment,id',
        'attempts job_id,fence',
        'inbound_requests environment,id',
        'early_events id',
        'audit created_at,id',
        'audit_seals sequence',
        'deletions id'
    ]) with ordinality as numbered (line, place);
$$;

revoke execute on function mailpipe.export_tables() from public, anon, authenticated;
grant execute on function mailpipe.export_tables() to mailpipe_worker;

-- Secrets and their hashes are bytea; nothing else is but the audit log's own hashes, which prove its chain.
create function mailpipe.left_out_of_exports()
returns table (table_name text, column_name text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select class.relname::text, attribute.attname::text
    from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid
    where class.relnamespace = 'mailpipe'::regnamespace
        and class.relkind = 'r'
        and attribute.atttypid = 'bytea'::regtype
        and class.relname not in ('audit_seals', 'idempotency_records', 'master_keys')
    union all
    values ('deletions', 'subject');
$$;

revoke execute on function mailpipe.left_out_of_exports() from public, anon, authenticated;
grant execute on function mailpipe.left_out_of_exports() to mailpipe_worker;

-- Where the rows behind p_after begin, as a condition; nothing for the first page.
create function mailpipe.behind(p_table text, p_sorting text[], p_after jsonb)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select case
        when p_after is null then ''
        else format(
            'and (%s) > (%s)',
            string_agg(format('held.%I', column_name), ', ' order by place),
            string_agg(
                format('%L::%s', p_after ->> column_name, format_type(attribute.atttypid, attribute.atttypmod)), ', '
                order by place
            )
        )
    end
    from unnest(p_sorting) with ordinality as sorted (column_name, place)
    join pg_attribute as attribute on attribute.attname = column_name
        and attribute.attrelid = format('mailpipe.%I', p_table)::regclass;
$$;

revoke execute on function mailpipe.behind(text, text[], jsonb) from public, anon, authenticated;
-- Granted to nobody: only pages are read behind a place.

-- SQL that reads an organization's ($1) rows of a table behind a place, each with p_column and its own place.
create function mailpipe.rows_behind(p_table text, p_column text, p_sorting text[], p_after jsonb)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select format(
        'select %s, jsonb_build_object(%s) as place from mailpipe.%I as held where held.%I = $1 %s order by %s limit 1001',
        p_column,
        (select string_agg(format('%L, held.%I', column_name, column_name), ', ') from unnest(p_sorting) as column_name),
        p_table,
        case when p_table = 'organizations' then 'id' else 'organization_id' end,
        mailpipe.behind(p_table, p_sorting, p_after),
        (select string_agg(format('held.%I', column_name), ', ') from unnest(p_sorting) as column_name)
    );
$$;

revoke execute on function mailpipe.rows_behind(text, text, text[], jsonb) from public, anon, authenticated;
-- Granted to nobody: only pages and sweeps read rows so.

-- Up to 1,000 rows or 2 MiB of one table as lines of JSON, and the place to go on from, if there is more. Text, because
-- JavaScript would round a bigint.
create function mailpipe.export_page(p_table text, p_organization_id text, p_after jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    sorting constant text[] := (select known.sorting from mailpipe.export_tables() as known where known.name = p_table);
    secrets constant text[] := array(
        select left_out.column_name
        from mailpipe.left_out_of_exports() as left_out
        where left_out.table_name = p_table
    );
    until constant timestamptz := clock_timestamp() + interval '3 seconds';
    lines text[] := '{}';
    size int := 0;
    after jsonb;
    rows refcursor;
    held record;
begin
    -- Fetched one by one: a loop would make fifty at once, of 30 MB each where bodies are large.
    open rows for execute mailpipe.rows_behind(p_table, '(to_jsonb(held) - $2)::text as line', sorting, p_after)
    using p_organization_id, secrets;
    loop
        fetch rows into held;
        exit when not found;
        if cardinality(lines) = 1000 or size > 2 * 1024 * 1024 or (lines <> '{}' and clock_timestamp() > until) then
            return jsonb_build_object('lines', to_jsonb(lines), 'after', after);
        end if;
        lines := lines || held.line;
        size := size + length(held.line);
        after := held.place;
    end loop;
    return jsonb_build_object('lines', to_jsonb(lines), 'after', null);
end;
$$;

revoke execute on function mailpipe.export_page(text, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.export_page(text, text, jsonb) to mailpipe_worker;
