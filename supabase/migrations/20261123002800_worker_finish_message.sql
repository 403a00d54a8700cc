-- What: finish_message: writes a provider's verdict, for deliver-mail.
-- Why: a verdict counts only while its claim holds; a late one from a lost lease changes nothing.
-- Locks: none on existing objects.

-- p_result is a verdict of shared/providers/contract.ts with retry_in_seconds (null: no further try).
create function mailpipe_api.finish_message(p_caller jsonb, p_job_id text, p_fence bigint, p_result jsonb)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    me mailpipe.caller := mailpipe.authenticate(p_caller, 'worker');
    verdict constant text := p_result ->> 'outcome';
    reason constant text := p_result ->> 'reason';
    retry_in constant interval := make_interval(secs => (p_result ->> 'retry_in_seconds')::double precision);
    target mailpipe.messages;
begin
    select message.*
    into target
    from mailpipe.messages as message
    join mailpipe.jobs as job on job.subject_id = message.id
    where job.id = p_job_id;

    if not mailpipe.finish_job(p_job_id, p_fence, retry_in) then
        return '{"accepted": false}';
    end if;

    update mailpipe.attempts as attempt
    set
        outcome = verdict,
        status_code = (p_result ->> 'status')::int,
        duration_ms = (p_result ->> 'duration_ms')::int,
        detail = left(coalesce(reason, p_result ->> 'response'), 1000),
        finished_at = mailpipe.clock()
    where attempt.job_id = p_job_id
        and attempt.fence = p_fence;

    case
        when verdict = 'sent' then
            perform mailpipe.record_acceptance(target, p_result);
        when verdict = 'retry' and retry_in is not null then
            perform mailpipe.requeue_recipients(target, reason);
        when verdict = 'unknown' and retry_in is not null then
            -- The provider keeps one acceptance per key, so it is asked again: still sending.
            perform mailpipe.refresh_message_status(target.id);
        when verdict = 'unknown' then
            perform mailpipe.tell(
                target, 'email.unknown', mailpipe.raise_recipients(target, null, 'unknown', reason),
                jsonb_build_object('reason', reason)
            );
        else
            perform mailpipe.tell(
                target, 'email.failed', mailpipe.raise_recipients(target, null, 'failed', reason),
                jsonb_build_object('reason', reason)
            );
    end case;
    return '{"accepted": true}';
end;
$$;

revoke execute on function mailpipe_api.finish_message(jsonb, text, bigint, jsonb) from public, anon, authenticated;
grant execute on function mailpipe_api.finish_message(jsonb, text, bigint, jsonb) to service_role;
grant create on schema mailpipe_api to mailpipe_worker;
alter function mailpipe_api.finish_message(jsonb, text, bigint, jsonb) owner to mailpipe_worker;
revoke create on schema mailpipe_api from mailpipe_worker;
