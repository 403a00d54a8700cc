-- What: which thread a message belongs to.
-- Why: cited Message-IDs first; the subject only for what says it is a reply and shares a participant.
-- Locks: none on existing objects.

create function mailpipe.subject_key(p_subject text)
returns text
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select left(
        btrim(regexp_replace(
            regexp_replace(
                lower(p_subject),
                '^\s*((re|fwd?|aw|wg|sv|vs|antw|tr|rv|odp)(\[\d+\])?\s*:\s*)+',
                ''
            ),
            '\s+', ' ', 'g'
        )),
        998
    );
$$;

revoke execute on function mailpipe.subject_key(text) from public, anon, authenticated;
grant execute on function mailpipe.subject_key(text) to mailpipe_tenant, mailpipe_worker;

create function mailpipe.find_thread(
    p_organization_id text,
    p_environment text,
    p_cited text[],
    p_subject text,
    p_sender text
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    found_thread text;
begin
    -- A provider that rewrites Message-ID is cited by its own: learnt from its events, or its id of the message.
    select message.thread_id
    into found_thread
    from mailpipe.messages as message
    where message.organization_id = p_organization_id
        and message.environment = p_environment
        and (
            message.message_id_header = any (p_cited)
            or message.rewritten_message_id = any (p_cited)
            or message.provider_message_id = any (p_cited)
        )
    order by message.created_at desc
    limit 1;

    if found_thread is not null or mailpipe.subject_key(p_subject) = lower(btrim(p_subject)) then
        return found_thread;
    end if;

    -- Thirty days: an old subject used again is a new conversation.
    select thread.id
    into found_thread
    from mailpipe.threads as thread
    where thread.organization_id = p_organization_id
        and thread.environment = p_environment
        and md5(thread.subject_key) = md5(mailpipe.subject_key(p_subject))
        and thread.participants @> array[lower(p_sender)]
        and thread.last_message_at > mailpipe.clock() - interval '30 days'
    order by thread.last_message_at desc
    limit 1;
    return found_thread;
end;
$$;

revoke execute on function mailpipe.find_thread(text, text, text[], text, text) from public, anon, authenticated;
grant execute on function mailpipe.find_thread(text, text, text[], text, text) to mailpipe_tenant, mailpipe_worker;

-- Adds one message to p_thread_id, or to a new thread when that is null; returns the thread's id.
create function mailpipe.join_thread(
    p_thread_id text,
    p_organization_id text,
    p_environment text,
    p_subject text,
    p_participants text[]
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    joined text;
begin
    if p_thread_id is null then
        insert into mailpipe.threads (organization_id, environment, subject_key, participants, message_count)
        values (p_organization_id, p_environment, mailpipe.subject_key(p_subject), p_participants, 1)
        returning id
        into joined;
        return joined;
    end if;

    update mailpipe.threads
    set
        -- Fifty participants are enough to recognise a conversation by.
        participants = (
            select coalesce(array_agg(distinct folded.participant), '{}')
            from (
                select participant
                from unnest(participants || p_participants) as participant
                limit 50
            ) as folded
        ),
        message_count = message_count + 1,
        last_message_at = mailpipe.clock()
    where organization_id = p_organization_id
        and environment = p_environment
        and id = p_thread_id;
    return p_thread_id;
end;
$$;

revoke execute on function mailpipe.join_thread(text, text, text, text, text[]) from public, anon, authenticated;
grant execute on function mailpipe.join_thread(text, text, text, text, text[]) to mailpipe_tenant, mailpipe_worker;
