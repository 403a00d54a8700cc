-- What: where an address may stand in an organization's rows.
-- Why: whatever column it is in, and whatever column is added later; page by page, each page in two seconds.
-- Locks: none on existing objects.

-- Tables a person is looked for in, one after the other. The audit log holds ids and never addresses, and its seals would
-- break; of Idempotency-Keys only a hash is kept; what is not here holds no text of anybody's.
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
            'mailboxes', 'invitations', 'api_keys', 'providers', 'webhook_endpoints', 'organizations'
        ] as names
    ) as tables;
$$;

revoke execute on function mailpipe.next_swept(text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

-- The columns a table is read in the order of, as an export reads it.
create function mailpipe.swept(p_table text)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select known.sorting
    from mailpipe.export_tables() as known
    where known.name = p_table;
$$;

revoke execute on function mailpipe.swept(text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

-- Cheap and never wrong in saying no: what it lets pass is looked at column by column.
create function mailpipe.may_mention(p_text text, p_address text)
returns boolean
language sql
immutable
cost 1000
set search_path = pg_catalog, pg_temp
as $$
    select strpos(lower(p_text), split_part(p_address, '@', -1)) > 0
        and strpos(lower(p_text), coalesce(substring(p_address from '^[^[:alnum:]]*([[:alnum:]]+)'), '')) > 0;
$$;

revoke execute on function mailpipe.may_mention(text, text) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.

-- Rows that may have the address, by the columns the table is read in the order of, among up to 200 or as many as two
-- seconds allow; and where to go on, if there is more.
create function mailpipe.mentioned_in(p_table text, p_deletion mailpipe.deletions, p_after jsonb)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    sorting constant text[] := mailpipe.swept(p_table);
    until constant timestamptz := clock_timestamp() + interval '2 seconds';
    places jsonb := '[]';
    after jsonb;
    seen int := 0;
    rows refcursor;
    held record;
begin
    open rows for execute mailpipe.rows_behind(
        p_table, 'mailpipe.may_mention(held::text, $2) as hit', sorting, p_after
    )
    using p_deletion.organization_id, p_deletion.subject;
    loop
        fetch rows into held;
        exit when not found;
        if seen = 200 or (seen > 0 and clock_timestamp() > until) then
            return jsonb_build_object('places', places, 'after', after);
        end if;
        seen := seen + 1;
        after := held.place;
        if held.hit then
            places := places || held.place;
        end if;
    end loop;
    return jsonb_build_object('places', places, 'after', null);
end;
$$;

revoke execute on function mailpipe.mentioned_in(text, mailpipe.deletions, jsonb) from public, anon, authenticated;
-- Granted to nobody: only sweeps ask.
