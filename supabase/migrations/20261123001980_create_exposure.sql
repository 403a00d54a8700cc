-- What: what happens to a key that was seen where it does not belong, and to one that was found in the open.
-- Why: an exposed key goes on working and its owner is told; only a leak report revokes.
-- Locks: none on existing objects.

-- Marks a live key once. p_facts say where it was seen.
create function mailpipe.mark_exposed(p_key mailpipe.api_keys, p_facts jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update mailpipe.api_keys as key
    set exposed_at = mailpipe.clock()
    where key.id = p_key.id
        and key.exposed_at is null;
    if not found then
        return;
    end if;
    -- An address that was reported may hold somebody's mail address: its host is enough for the log.
    perform mailpipe.record_audit(
        mailpipe.key_as_caller(p_key), 'key.exposed', p_key.id, p_facts - 'source_url'
    );
    perform mailpipe.tell_of_key(p_key, 'key.exposed', p_facts);
end;
$$;

revoke execute on function mailpipe.mark_exposed(mailpipe.api_keys, jsonb) from public, anon, authenticated;
-- Granted to nobody: a refusal marks, and a report.

-- Mails the owners from notify_from through the organization's default account. Without either nobody is mailed.
create function mailpipe.notify_owners(p_organization_id text, p_subject text, p_text text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    sender constant text := (select notify_from from mailpipe.settings);
    system constant mailpipe.caller := row('system', null, p_organization_id, 'live', '{}', null);
    account text;
    owners jsonb;
begin
    select provider.id
    into account
    from mailpipe.providers as provider
    where provider.organization_id = p_organization_id
        and provider.environment = 'live'
        and provider.is_default;

    select jsonb_agg(jsonb_build_object('email', owner.email, 'name', null) order by owner.id)
    into owners
    from mailpipe.members as member
    join auth.users as owner on owner.id = member.user_id
    where member.organization_id = p_organization_id
        and member.role = 'owner'
        and owner.email is not null;

    if sender is null or account is null or owners is null then
        return;
    end if;
    perform mailpipe.queue_mail(
        system,
        jsonb_build_object(
            'from', jsonb_build_object('email', sender, 'name', 'Mailpipe'),
            'to', owners, 'cc', '[]'::jsonb, 'bcc', '[]'::jsonb, 'reply_to', '[]'::jsonb, 'subject', p_subject,
            'snippet', left(p_text, 200), 'text', p_text, 'headers', '{}'::jsonb, 'tags', '[]'::jsonb,
            'metadata', '{}'::jsonb, 'attachments', '[]'::jsonb
        ),
        account
    );
end;
$$;

revoke execute on function mailpipe.notify_owners(text, text, text) from public, anon, authenticated;
-- Granted to nobody: a report notifies.
