-- What: fence_child: the fences and limits of a key to be.
-- Why: a key that issues hands down no more than it has.
-- Locks: none on existing objects.

create function mailpipe.text_list(p_json jsonb)
returns text[]
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select case when jsonb_typeof(p_json) = 'array' then array(select jsonb_array_elements_text(p_json)) end;
$$;

revoke execute on function mailpipe.text_list(jsonb) from public, anon, authenticated;
grant execute on function mailpipe.text_list(jsonb) to mailpipe_tenant, mailpipe_worker;

-- The fences and limits of a key to be, in the columns they will stand in. A limit of its own is counted beside its
-- issuer's, whose windows it takes from as well: many children together do no more than their issuer might.
create function mailpipe.fence_child(p_issuer mailpipe.api_keys, p_id text, p_request jsonb)
returns mailpipe.api_keys
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    fences constant jsonb := p_request -> 'fences';
    per_minute constant int := p_request -> 'limits' ->> 'per_minute';
    per_day constant int := p_request -> 'limits' ->> 'per_day';
    child mailpipe.api_keys;
begin
    child.sending_domains := mailpipe.within_list(
        p_issuer.sending_domains, mailpipe.text_list(fences -> 'sending_domains'), 'sending_domains'
    );
    child.recipient_domains := mailpipe.within_list(
        p_issuer.recipient_domains, mailpipe.text_list(fences -> 'recipient_domains'), 'recipient_domains'
    );
    child.mailboxes := mailpipe.within_list(
        p_issuer.mailboxes,
        case when jsonb_typeof(fences -> 'mailboxes') = 'array' then mailpipe.find_mailboxes(fences -> 'mailboxes') end,
        'mailboxes'
    );
    child.ip_ranges := mailpipe.within_ranges(
        p_issuer.ip_ranges, mailpipe.text_list(fences -> 'ip_ranges')::cidr[]
    );
    child.per_minute := mailpipe.within_limit(p_issuer.per_minute, per_minute, 'per_minute');
    child.per_day := mailpipe.within_limit(p_issuer.per_day, per_day, 'per_day');
    child.limited_by := case when num_nonnulls(per_minute, per_day) > 0 then array[p_id] else '{}' end
        || coalesce(p_issuer.limited_by, '{}');
    if cardinality(child.limited_by) > 16 then
        raise sqlstate 'PT422' using
            message = 'invalid_request',
            detail = 'limits: at most 16 keys of one descent have limits of their own';
    end if;
    return child;
end;
$$;

revoke execute on function mailpipe.fence_child(mailpipe.api_keys, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.fence_child(mailpipe.api_keys, text, jsonb) to mailpipe_tenant;
