-- What: which objects of the bucket something points at, and which are to be removed.
-- Why: the same bytes are one object; those written a moment ago may be about to get their row.
-- Locks: none on existing objects.

-- Objects of these that no row points at any more.
create function mailpipe.unreferenced(p_keys text[])
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(array_agg(distinct key), '{}')
    from unnest(p_keys) as key
    where key is not null
        and not exists (select from mailpipe.attachments as attachment where attachment.storage_key = key)
        and not exists (select from mailpipe.messages as message where message.raw_key = key)
        and not exists (select from mailpipe.inbound_requests as request where request.storage_key = key)
        and not exists (select from mailpipe.export_parts as part where part.storage_key = key);
$$;

revoke execute on function mailpipe.unreferenced(text[]) from public, anon, authenticated;
-- Granted to nobody: only removals ask.

create function mailpipe.is_stored(p_key text)
returns boolean
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from storage.objects as object
        where object.bucket_id = 'mailpipe'
            and object.name = p_key
    );
$$;

revoke execute on function mailpipe.is_stored(text) from public, anon, authenticated;
grant execute on function mailpipe.is_stored(text) to mailpipe_worker;

-- Of objects a deletion left without a row those that may go now, up to five hundred: still without a row, and not
-- written in the last quarter of an hour, for bytes are written before their row. Nobody writes any more for an
-- organization that is being deleted.
create function mailpipe.removable(p_keys text[], p_of_organization boolean)
returns text[]
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select array(
        select key
        from unnest(mailpipe.unreferenced(p_keys)) as key
        where p_of_organization
            or not exists (
                select
                from storage.objects as object
                where object.bucket_id = 'mailpipe'
                    and object.name = key
                    and object.updated_at > mailpipe.clock() - interval '15 minutes'
            )
        limit 500
    );
$$;

revoke execute on function mailpipe.removable(text[], boolean) from public, anon, authenticated;
grant execute on function mailpipe.removable(text[], boolean) to mailpipe_worker;
