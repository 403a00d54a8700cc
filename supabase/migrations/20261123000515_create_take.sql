-- What: take(), which counts against limits or refuses.
-- Why: one upsert a subject; the row stays locked until the transaction ends, so calls take one after the other.
-- Locks: none on existing objects.

-- Hands the tightest window of the transaction to the edge, in PostgREST's own way to set a header.
create function mailpipe.tell_window(p_window text)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    told constant text := current_setting('response.headers', true);
begin
    if told <> '' and split_part(told, ';', 3)::int <= split_part(p_window, ';', 3)::int then
        return;
    end if;
    perform set_config('response.headers', concat('[{"x-mailpipe-rate-limit": "', p_window, '"}]'), true);
end;
$$;

revoke execute on function mailpipe.tell_window(text) from public, anon, authenticated;
-- Granted to nobody: only take tells of a window.

-- The windows as they are at p_moment: one that is over has nothing used.
create function mailpipe.windows_at(p_spent mailpipe.rate_windows, p_moment timestamptz)
returns mailpipe.rate_windows
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_spent.second_at + interval '1 second' <= p_moment then
        p_spent.second_used := 0;
        p_spent.second_at := p_moment;
    end if;
    if p_spent.minute_at + interval '1 minute' <= p_moment then
        p_spent.minute_used := 0;
        p_spent.minute_at := p_moment;
    end if;
    if p_spent.hour_at + interval '1 hour' <= p_moment then
        p_spent.hour_used := 0;
        p_spent.hour_at := p_moment;
    end if;
    if p_spent.day_at + interval '1 day' <= p_moment then
        p_spent.day_used := 0;
        p_spent.day_at := p_moment;
    end if;
    return p_spent;
end;
$$;

revoke execute on function mailpipe.windows_at(mailpipe.rate_windows, timestamptz) from public, anon, authenticated;
-- Granted to nobody: a refusal looks at windows without taking, and so does what paces itself.

-- Takes p_count from the windows of a subject, or refuses. A window begins with its first request.
create function mailpipe.take(p_subject_id text, p_policy text, p_limits mailpipe.limits, p_count int)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    moment constant timestamptz := mailpipe.clock();
    spent mailpipe.rate_windows;
begin
    insert into mailpipe.rate_windows as known (
        subject_id, second_at, second_used, minute_at, minute_used, hour_at, hour_used, day_at, day_used
    )
    select p_subject_id, moment, p_count, moment, p_count, moment, p_count, moment, p_count
    where p_count <= coalesce(
        least(p_limits.per_second, p_limits.per_minute, p_limits.per_hour, p_limits.per_day), p_count
    )
    on conflict on constraint rate_windows_pkey do update
    set
        second_at = case when known.second_at + interval '1 second' <= moment then moment else known.second_at end,
        second_used = case when known.second_at + interval '1 second' <= moment then 0 else known.second_used end + p_count,
        minute_at = case when known.minute_at + interval '1 minute' <= moment then moment else known.minute_at end,
        minute_used = case when known.minute_at + interval '1 minute' <= moment then 0 else known.minute_used end + p_count,
        hour_at = case when known.hour_at + interval '1 hour' <= moment then moment else known.hour_at end,
        hour_used = case when known.hour_at + interval '1 hour' <= moment then 0 else known.hour_used end + p_count,
        day_at = case when known.day_at + interval '1 day' <= moment then moment else known.day_at end,
        day_used = case when known.day_at + interval '1 day' <= moment then 0 else known.day_used end + p_count
    where (p_limits.per_second is null or known.second_used + p_count <= p_limits.per_second or known.second_at + interval '1 second' <= moment)
        and (p_limits.per_minute is null or known.minute_used + p_count <= p_limits.per_minute or known.minute_at + interval '1 minute' <= moment)
        and (p_limits.per_hour is null or known.hour_used + p_count <= p_limits.per_hour or known.hour_at + interval '1 hour' <= moment)
        and (p_limits.per_day is null or known.day_used + p_count <= p_limits.per_day or known.day_at + interval '1 day' <= moment)
    returning *
    into spent;

    if spent.subject_id is not null then
        -- Without limits it was only counted.
        if num_nonnulls(p_limits.per_second, p_limits.per_minute, p_limits.per_hour, p_limits.per_day) > 0 then
            perform mailpipe.tell_window(mailpipe.tightest_window(p_policy, p_limits, spent));
        end if;
        return;
    end if;

    select known.*
    into spent
    from mailpipe.rate_windows as known
    where known.subject_id = p_subject_id;
    if spent.subject_id is null then
        spent := row(p_subject_id, moment, 0, moment, 0, moment, 0, moment, 0);
    end if;
    raise sqlstate 'PT429' using
        message = 'rate_limited',
        detail = mailpipe.tightest_window(p_policy, p_limits, mailpipe.windows_at(spent, moment));
end;
$$;

revoke execute on function mailpipe.take(text, text, mailpipe.limits, int) from public, anon, authenticated;
-- Granted to nobody: authenticate and the organization's limit take.
