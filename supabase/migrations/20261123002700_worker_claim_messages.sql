-- What: claim_messages, for deliver-mail.
-- Why: a claim is only a lease; what was claimed and not begun is simply claimed again.
-- Locks: none on existing objects.

create function mailpipe.recipient_objects(p_message mailpipe.messages, p_kind text)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select coalesce(
        jsonb_agg(
            jsonb_build_object('email', recipient.email, 'name', recipient.name)
            order by recipient.position
        ),
        '[]'
    )
    from mailpipe.recipients as recipient
    where recipient.organization_id = p_message.organization_id
        and recipient.environment = p_message.environment
        and recipient.message_id = p_message.id
        and recipient.kind = p_kind
        -- What is final, or already accepted, is not sent to again.
        and recipient.status in ('queued', 'sending');
$$;

revoke execute on function mailpipe.recipient_objects(mailpipe.messages, text) from public, anon, authenticated;
grant execute on function mailpipe.recipient_objects(mailpipe.messages, text) to mailpipe_worker;

create function mailpipe.outgoing_message(p_message mailpipe.messages)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_message.id,
        'from', jsonb_build_object('email', p_message.from_email, 'name', p_message.from_name),
        'to', mailpipe.recipient_objects(p_message, 'to'),
        'cc', mailpipe.recipient_objects(p_message, 'cc'),
        'bcc', mailpipe.recipient_objects(p_message, 'bcc'),
        'reply_to', p_message.reply_to,
        'subject', p_message.subject,
        'text', p_message.text_body,
        'html', p_message.html_body,
        'headers', p_message.headers,
        'tags', p_message.tags,
        'metadata', p_message.metadata,
        'message_id', concat('<', p_message.message_id_header, '>'),
        'in_reply_to', p_message.in_reply_to,
        'references', p_message.reference_ids,
        'created_at', mailpipe.rfc3339(p_message.created_at),
        'attachments', mailpipe.message_attachments(p_message)
    );
$$;

revoke execute on function mailpipe.outgoing_message(mailpipe.messages) from public, anon, authenticated;
grant execute on function mailpipe.outgoing_message(mailpipe.messages) to mailpipe_worker;

create function mailpipe.message_work(p_job mailpipe.jobs)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'job_id', p_job.id,
        'fence', p_job.fence,
        'attempt', p_job.attempts,
        -- An earlier try began and nobody wrote how it ended: its outcome is unknown.
        'unfinished_attempt', exists (
            select
            from mailpipe.attempts as earlier
            where earlier.job_id = p_job.id
                and earlier.fence < p_job.fence
                and earlier.outcome is null
        ),
        'message', mailpipe.outgoing_message(message),
        'provider', case
            when provider.id is not null
            then jsonb_build_object(
                'kind', provider.kind,
                'credentials', mailpipe.unseal(
                    provider.organization_id, 'providers', provider.id, 'credentials', provider.credentials
                )::jsonb
            )
        end
    )
    from mailpipe.messages as message
    left join mailpipe.providers as provider on provider.id = message.provider_id
    where message.id = p_job.subject_id;
$$;

revoke execute on function mailpipe.message_work(mailpipe.jobs) from public, anon, authenticated;
grant execute on function mailpipe.message_work(mailpipe.jobs) to mailpipe_worker;

-- p_message_id claims that message's job alone, for a caller who waits for it.
create function mailpipe_api.claim_messages(p_caller jsonb, p_limit int, p_message_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    -- Twice the longest a provider call may take (60 s), so a live worker never loses its job.
    lease constant interval := interval '120 seconds';
    claimed mailpipe.jobs[];
begin
    if p_message_id is null then
        claimed := array(select job from mailpipe.claim_jobs('deliver_message', p_limit, lease) as job);
    else
        claimed := array(select job from mailpipe.claim_subject('deliver_message', p_message_id, lease) as job);
    end if;
    claimed := mailpipe.without_cancelled(claimed);

    update mailpipe.recipients as recipient
    set status = 'sending'
    from unnest(claimed) as job
    where recipient.organization_id = job.organization_id
        and recipient.environment = job.environment
        and recipient.message_id = job.subject_id
        and recipient.status = 'queued';
    perform mailpipe.refresh_message_status(job.subject_id)
    from unnest(claimed) as job;

    return (
        select coalesce(jsonb_agg(mailpipe.message_work(job)), '[]')
        from unnest(claimed) as job
    );
end;
$$;

revoke execute on function mailpipe_api.claim_messages(jsonb, int, text) from public, anon, authenticated;
grant execute on function mailpipe_api.claim_messages(jsonb, int, text) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.claim_messages(jsonb, int, text) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
