-- What: disable_endpoint.
-- Why: an endpoint that is gone, asks for it, or has failed for five days is called no more, and its owner is told.
-- Locks: none on existing objects.

-- The owners' mail, where the operator named a sender. Nobody is mailed about a test endpoint.
create function mailpipe.mail_of_disabling(p_endpoint mailpipe.webhook_endpoints)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_endpoint.environment = 'live' then
        perform mailpipe.notify_owners(
            p_endpoint.organization_id,
            'A webhook endpoint was disabled',
            concat(
                'Events are no longer delivered to ', p_endpoint.url, ' (', p_endpoint.id, '; reason: ',
                p_endpoint.disabled_reason, ').', E'\n\n',
                'What waits for it is kept as failed. Enable it with PATCH webhooks/', p_endpoint.id,
                ' and { "enabled": true }, then send again with POST replay-deliveries.', E'\n'
            )
        );
    end if;
end;
$$;

revoke execute on function mailpipe.mail_of_disabling(mailpipe.webhook_endpoints) from public, anon, authenticated;
-- Granted to nobody: only disabling mails.

-- p_reason: gone (410), asked (webhook-delivery: disable), failing, redacted (a person's address stood in its URL).
create function mailpipe.disable_endpoint(p_endpoint_id text, p_reason text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    target mailpipe.webhook_endpoints;
begin
    update mailpipe.webhook_endpoints as endpoint
    set
        enabled = false,
        disabled_reason = p_reason,
        disabled_at = mailpipe.clock()
    where endpoint.id = p_endpoint_id
        and endpoint.enabled
    returning *
    into target;

    if target.id is null then
        return;
    end if;
    perform mailpipe.record_audit(
        row('system', 'mailpipe', target.organization_id, target.environment, '{}', null)::mailpipe.caller,
        'webhook.disabled', target.id, jsonb_build_object('reason', p_reason)
    );
    perform mailpipe.emit_event(
        target.organization_id, target.environment, 'webhook.disabled', null,
        jsonb_build_object(
            'endpoint_id', target.id,
            'url', target.url, 'reason', p_reason,
            'failing_since', mailpipe.rfc3339(target.failing_since),
            'disabled_at', mailpipe.rfc3339(target.disabled_at)
        ),
        true
    );
    perform mailpipe.mail_of_disabling(target);
end;
$$;

revoke execute on function mailpipe.disable_endpoint(text, text) from public, anon, authenticated;
grant execute on function mailpipe.disable_endpoint(text, text) to mailpipe_worker;

-- Five days without a success, over three events at least. The schedule of one event is three days long.
create function mailpipe.has_failed_for_good(p_endpoint mailpipe.webhook_endpoints)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select p_endpoint.failing_since <= mailpipe.clock() - interval '5 days'
        and 3 <= (
            select count(*)
            from (
                select
                from mailpipe.deliveries as delivery
                where delivery.organization_id = p_endpoint.organization_id
                    and delivery.environment = p_endpoint.environment
                    and delivery.endpoint_id = p_endpoint.id
                    and delivery.failure is not null
                    and coalesce(delivery.finished_at >= p_endpoint.failing_since, true)
                limit 3
            ) as failed
        );
$$;

revoke execute on function mailpipe.has_failed_for_good(mailpipe.webhook_endpoints) from public, anon, authenticated;
grant execute on function mailpipe.has_failed_for_good(mailpipe.webhook_endpoints) to mailpipe_worker;

-- Of endpoints a person's address was taken out of: one whose URL held it would be called at another. Its own headers, which
-- nobody can look into, go with it.
create function mailpipe.disable_redacted(p_endpoint_ids text[])
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    redacted text;
begin
    for redacted in
        update mailpipe.webhook_endpoints as endpoint
        set
            headers = null,
            header_names = '{}'
        where endpoint.id = any (p_endpoint_ids)
            and strpos(endpoint.url, '***') > 0
        returning endpoint.id
    loop
        perform mailpipe.disable_endpoint(redacted, 'redacted');
    end loop;
end;
$$;

revoke execute on function mailpipe.disable_redacted(text[]) from public, anon, authenticated;
-- Granted to nobody: only deletions of a person redact.
