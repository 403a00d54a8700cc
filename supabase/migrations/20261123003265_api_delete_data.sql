-- What: ask_deletion and confirm_deletion.
-- Why: two calls, so that nothing goes by one mistake; the second says the same again, with the token of the first.
-- Locks: none on existing objects.

create function mailpipe_api.ask_deletion(p_caller jsonb, p_confirm_hash text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:delete');
    asked mailpipe.deletions;
begin
    perform mailpipe.assert_deletable(me, p_request);
    asked.organization_id := me.organization_id;
    asked.environment := me.environment;
    asked.what := p_request ->> 'what';
    asked.subject := p_request ->> 'id';

    insert into mailpipe.deletions (
        organization_id, environment, what, subject, confirm_hash, confirm_until, counts
    )
    values (
        asked.organization_id, asked.environment, asked.what, asked.subject, decode(p_confirm_hash, 'hex'),
        mailpipe.clock() + interval '1 hour', mailpipe.deletion_counts(asked)
    )
    returning *
    into asked;

    perform mailpipe.record_audit(me, 'data.deletion_asked', asked.id, jsonb_build_object('what', asked.what));
    return jsonb_build_object(
        'id', asked.id, 'counts', asked.counts, 'confirm_until', mailpipe.rfc3339(asked.confirm_until)
    );
end;
$$;

revoke execute on function mailpipe_api.ask_deletion(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.ask_deletion(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.ask_deletion(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;

-- Confirming again shows the receipt.
create function mailpipe_api.confirm_deletion(p_caller jsonb, p_confirm_hash text, p_request jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'data:delete');
    asked mailpipe.deletions := mailpipe.deletion_to_confirm(p_confirm_hash, p_request);
begin
    if asked.state <> 'asked' then
        return mailpipe.show_receipt(asked);
    end if;
    if asked.what = 'organization' then
        perform mailpipe.assert_none_pending(me.organization_id);
    end if;

    perform mailpipe.record_audit(me, 'data.deletion_confirmed', asked.id, jsonb_build_object('what', asked.what));
    return mailpipe.show_receipt(mailpipe.begin_deletion(me, asked));
end;
$$;

revoke execute on function mailpipe_api.confirm_deletion(jsonb, text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.confirm_deletion(jsonb, text, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_tenant;
alter function mailpipe_api.confirm_deletion(jsonb, text, jsonb) owner to mailpipe_tenant;
revoke create on schema mailpipe_api from mailpipe_tenant;
