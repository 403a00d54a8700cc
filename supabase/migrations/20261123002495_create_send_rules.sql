-- What: what a key's fences and an organization's limits say about a message.
-- Why: both are decided in the transaction that stores the message, after parsing, on the addresses it will carry.
-- Locks: none on existing objects.

-- The part behind the last @, as addresses arrive here: one mailbox each, the domain in lower-case A-labels.
create function mailpipe.domain_of(p_email text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select lower(split_part(p_email, '@', -1));
$$;

revoke execute on function mailpipe.domain_of(text) from public, anon, authenticated;
grant execute on function mailpipe.domain_of(text) to mailpipe_tenant;

create function mailpipe.assert_recipients(p_domains text[], p_request jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    outside text;
begin
    select format('%s[%s] is outside them', kinds.kind, party.place - 1)
    into outside
    from (values (1, 'to'), (2, 'cc'), (3, 'bcc')) as kinds (rank, kind)
    cross join lateral jsonb_array_elements(p_request -> kinds.kind) with ordinality as party (address, place)
    where mailpipe.domain_of(party.address ->> 'email') <> all (p_domains)
    order by kinds.rank, party.place
    limit 1;

    if outside is not null then
        raise sqlstate 'PT403' using message = 'fence_violated', detail = concat('recipient_domains: ', outside);
    end if;
end;
$$;

revoke execute on function mailpipe.assert_recipients(text[], jsonb) from public, anon, authenticated;
grant execute on function mailpipe.assert_recipients(text[], jsonb) to mailpipe_tenant;

-- A key may be fenced to domains and mailboxes it sends from, and to domains it sends to; a session is not.
create function mailpipe.assert_sender(p_me mailpipe.caller, p_request jsonb)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    sender constant text := p_request -> 'from' ->> 'email';
    key mailpipe.api_keys;
begin
    if p_me.kind <> 'key' then
        return;
    end if;
    select mine.*
    into key
    from mailpipe.api_keys as mine
    where mine.id = p_me.id;

    if mailpipe.domain_of(sender) <> all (key.sending_domains) then
        raise sqlstate 'PT403' using message = 'fence_violated', detail = 'sending_domains: from is outside them';
    end if;
    if key.mailboxes is not null and not exists (
        select
        from mailpipe.mailboxes as mailbox
        where mailbox.id = any (key.mailboxes)
            and lower(normalize(mailbox.address, nfc)) = lower(normalize(sender, nfc))
    ) then
        raise sqlstate 'PT403' using message = 'fence_violated', detail = 'mailboxes: from is none of their addresses';
    end if;
    perform mailpipe.assert_recipients(key.recipient_domains, p_request);
end;
$$;

revoke execute on function mailpipe.assert_sender(mailpipe.caller, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.assert_sender(mailpipe.caller, jsonb) to mailpipe_tenant;

-- Counts accepted messages against the organization's tier. Test mail has windows of its own, so it behaves as live mail
-- will and takes nothing from it.
create function mailpipe.take_for_organization(p_count int)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    window_id constant text := concat_ws(
        ':', current_setting('mailpipe.organization_id', true), current_setting('mailpipe.environment', true)
    );
    bounds mailpipe.limits;
begin
    select organization.per_second, null, organization.per_hour, organization.per_day
    into bounds
    from mailpipe.organizations as organization
    where organization.id = current_setting('mailpipe.organization_id', true);

    if num_nonnulls(bounds.per_second, bounds.per_hour, bounds.per_day) > 0 then
        perform mailpipe.take(window_id, 'organization', bounds, p_count);
    end if;
end;
$$;

revoke execute on function mailpipe.take_for_organization(int) from public, anon, authenticated;
grant execute on function mailpipe.take_for_organization(int) to mailpipe_tenant;

-- Mailpipe's tiers, for the operator: select mailpipe.set_tier('org_…', 'free'). 'none' takes every limit away.
create function mailpipe.set_tier(p_organization_id text, p_tier text)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_tier not in ('none', 'free', 'pro') then
        raise exception 'there is no tier %', p_tier
            using hint = 'Use none, free (10/s, 100/h, 1,000/day) or pro (50/s, 1,000/h, 50,000/day).';
    end if;
    update mailpipe.organizations
    set
        per_second = case p_tier when 'free' then 10 when 'pro' then 50 end,
        per_hour = case p_tier when 'free' then 100 when 'pro' then 1000 end,
        per_day = case p_tier when 'free' then 1000 when 'pro' then 50000 end
    where id = p_organization_id;
    if not found then
        raise exception 'there is no organization %', p_organization_id;
    end if;
end;
$$;

revoke execute on function mailpipe.set_tier(text, text) from public, anon, authenticated;
-- Granted to nobody: the operator calls it as postgres.
