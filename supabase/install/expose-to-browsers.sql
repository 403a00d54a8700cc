-- What: lets signed-in members read their organization's rows straight from a browser, by their role.
-- Why: Mailpipe ships the policies and no grant, so this is your decision. Nothing can be written this way.
-- Locks: none. It may be run again, and should be after an update: what is no longer listed here is taken back.
--
-- Run it as the role that ran the migrations:
--   supabase db query --remote="$DATABASE_URL" --yes --file supabase/install/expose-to-browsers.sql
-- Then let the Data API serve the schema: dashboard, Data API, Exposed schemas, add mailpipe to what is there.
-- Read with columns named, since some are withheld and `*` asks for all of them:
--   supabase.schema("mailpipe").from("messages").select("id, subject, created_at")
--
-- To take it back: take mailpipe out of the exposed schemas, and run supabase/install/hide-from-browsers.sql.
--
-- Good to know:
--   A member sees both environments, and every organization she belongs to: filter by organization_id and environment.
--   A removed member, and one whose role changed, is seen as such at the next call. A session that was signed out, or
--   whose user was banned, reads on until its token expires (an hour by default); the functions refuse it at once.
--   Anonymous users read nothing, even as members. Access is by membership, never by what a token claims.

do $$
begin
    revoke all on all tables in schema mailpipe from authenticated;
    grant usage on schema mailpipe to authenticated;

    -- Column lists, never a whole table: a column that an update adds stays closed until it is listed here.
    -- Left out are hashes, sealed secrets, and names of things only our functions reach.

    -- Every member.
    grant select (
        id, name, sending_paused, messages_retention_days, raw_mail_retention_days, events_retention_days,
        attempts_retention_days, audit_retention_days, per_second, per_hour, per_day, created_at
    ) on mailpipe.organizations to authenticated;

    -- Her own rows; the policies of all other tables read it too, so nothing is read without this one.
    grant select (organization_id, user_id, id, role, created_at) on mailpipe.members to authenticated;

    -- Owners, admins, members and viewers.
    grant select (
        id, organization_id, environment, address, display_name, forward_to_webhook, created_at
    ) on mailpipe.mailboxes to authenticated;

    grant select (
        id, organization_id, environment, subject_key, participants, message_count, last_message_at, created_at
    ) on mailpipe.threads to authenticated;

    grant select (
        id, organization_id, environment, direction, status, thread_id, mailbox_id, provider_id, api_key_id, from_email,
        from_name, reply_to, subject, snippet, text_body, html_body, headers, tags, metadata, message_id_header,
        in_reply_to, reference_ids, provider_message_id, rewritten_message_id, size_bytes, defects, is_read, is_starred,
        labels, sent_at, created_at
    ) on mailpipe.messages to authenticated;

    grant select (
        organization_id, environment, message_id, position, kind, email, name, status, reason, updated_at
    ) on mailpipe.recipients to authenticated;

    grant select (
        id, organization_id, environment, message_id, position, filename, content_type, content_id, size_bytes, sha256,
        created_at
    ) on mailpipe.attachments to authenticated;

    -- Those about a mail; owners and admins see the others too.
    grant select (
        id, organization_id, environment, type, message_id, data, payload_version, created_at, position
    ) on mailpipe.events to authenticated;

    -- Tries of a mail; owners, admins and viewers see those of deliveries too.
    grant select (
        organization_id, environment, job_id, fence, message_id, delivery_id, provider_id, outcome, status_code,
        duration_ms, detail, started_at, finished_at
    ) on mailpipe.attempts to authenticated;

    -- Owners, admins and viewers.
    grant select (
        id, organization_id, environment, url, description, events, thin, header_names, previous_secret_until,
        max_concurrent, max_per_second, enabled, disabled_reason, disabled_at, failing_since, removed_at, created_at
    ) on mailpipe.webhook_endpoints to authenticated;

    grant select (
        id, organization_id, environment, event_id, endpoint_id, thin, state, attempts, failure, finished_at, created_at
    ) on mailpipe.deliveries to authenticated;

    -- Owners and admins.
    grant select (
        id, organization_id, environment, name, last_four, scopes, sending_domains, mailboxes, recipient_domains,
        ip_ranges, per_minute, per_day, issued_by_key, issued_by_user, replaces, rotated_by_key, rotated_by_user, honey,
        honey_used_at, expires_at, revoked_at, queue_cancelled, exposed_at, rotation_told_at, created_at
    ) on mailpipe.api_keys to authenticated;

    grant select (
        organization_id, environment, key_id, used, refused, last_used_at, last_used_range
    ) on mailpipe.key_usage to authenticated;

    grant select (
        id, organization_id, environment, kind, name, is_default, removed_at, created_at
    ) on mailpipe.providers to authenticated;

    -- Owners.
    grant select (
        id, organization_id, environment, actor_kind, actor_id, action, subject_id, detail, created_at, position, seal
    ) on mailpipe.audit to authenticated;

    grant select (
        organization_id, sequence, lines, first_at, last_at, dropped_at, told_at, created_at
    ) on mailpipe.audit_seals to authenticated;
end;
$$;
