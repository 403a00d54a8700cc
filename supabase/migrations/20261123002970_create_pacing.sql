-- What: how many tries an endpoint may have under way, and what is remembered of how it answered.
-- Why: an endpoint that does not answer holds up nobody but itself, and is not overrun when it comes back.
-- Locks: none on existing objects.

-- How many more tries may be begun within this second.
create function mailpipe.tries_left(p_endpoint mailpipe.webhook_endpoints)
returns int
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select p_endpoint.max_per_second - coalesce(
        (
            select (mailpipe.windows_at(known, mailpipe.clock())).second_used
            from mailpipe.rate_windows as known
            where known.subject_id = p_endpoint.id
        ),
        0
    );
$$;

revoke execute on function mailpipe.tries_left(mailpipe.webhook_endpoints) from public, anon, authenticated;
grant execute on function mailpipe.tries_left(mailpipe.webhook_endpoints) to mailpipe_worker;

create function mailpipe.take_tries(p_endpoint mailpipe.webhook_endpoints, p_count int)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Ending what waits for a disabled one is no try.
    if p_endpoint.enabled and p_count > 0 and p_endpoint.max_per_second is not null then
        perform mailpipe.take(p_endpoint.id, 'endpoint', row(p_endpoint.max_per_second, null, null, null), p_count);
    end if;
end;
$$;

revoke execute on function mailpipe.take_tries(mailpipe.webhook_endpoints, int) from public, anon, authenticated;
grant execute on function mailpipe.take_tries(mailpipe.webhook_endpoints, int) to mailpipe_worker;

-- How many tries from a lane may be begun now. One slot is left to the other lane, where there is more than one; and while
-- the other lane has something due, one try is left to it; where there is one for both, whoever has waited longer has it.
-- What waits for an endpoint that was disabled only has to be ended, which is no try.
create function mailpipe.tries_allowed(p_endpoint mailpipe.webhook_endpoints, p_lane text)
returns int
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    kind constant text := 'dispatch_delivery';
    slots constant int := least(p_endpoint.slots, p_endpoint.max_concurrent);
    other_lane constant text := case p_lane when 'first' then 'retry' else 'first' end;
    left_over int;
    other_since timestamptz;
begin
    if not p_endpoint.enabled then
        return 1000;
    end if;
    if p_endpoint.resume_at > mailpipe.clock() then
        return 0;
    end if;
    left_over := least(slots - mailpipe.under_way(kind, p_endpoint.id, null), mailpipe.tries_left(p_endpoint));
    if left_over <= 0 then
        return 0;
    end if;
    other_since := mailpipe.due_since(kind, p_endpoint.id, other_lane);
    if left_over = 1
        and other_since < mailpipe.due_since(kind, p_endpoint.id, p_lane)
        and mailpipe.under_way(kind, p_endpoint.id, other_lane) = 0
    then
        return 0;
    end if;
    return least(
        case when other_since is null then left_over else greatest(left_over - 1, 1) end,
        greatest(slots - 1, 1) - mailpipe.under_way(kind, p_endpoint.id, p_lane)
    );
end;
$$;

revoke execute on function mailpipe.tries_allowed(mailpipe.webhook_endpoints, text) from public, anon, authenticated;
grant execute on function mailpipe.tries_allowed(mailpipe.webhook_endpoints, text) to mailpipe_worker;

-- What p_tries, all of one endpoint, teach about it: { succeeded, overloaded, failed, leave_alone }, three counts and
-- seconds. A success adds a slot, as TCP does when it starts (RFC 5681 §3.1); when nothing but overload came back it is
-- asked by two at a time, one for each lane, and left alone for a second at least. A success ends that second; what the
-- receiver asked for outlasts tries from before.
create function mailpipe.learn_pace(p_endpoint_id text, p_tries jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    succeeded constant int := p_tries ->> 'succeeded';
    overloaded constant int := p_tries ->> 'overloaded';
    failed constant int := p_tries ->> 'failed';
    leave_alone constant interval := make_interval(secs => (p_tries ->> 'leave_alone')::double precision);
    now_failing constant boolean := succeeded = 0 and failed > 0;
begin
    update mailpipe.webhook_endpoints as endpoint
    set
        slots = case
            when overloaded > 0 then greatest(case when succeeded > 0 then endpoint.slots / 2 else 2 end, 2)
            else least(endpoint.slots + succeeded, endpoint.max_concurrent)
        end,
        failing_since = case
            when now_failing then coalesce(endpoint.failing_since, mailpipe.clock())
            when succeeded = 0 then endpoint.failing_since
        end,
        resume_at = case
            when leave_alone is not null then greatest(endpoint.resume_at, mailpipe.clock() + leave_alone)
            when succeeded = 0 or endpoint.resume_at > mailpipe.clock() + interval '1 second' then endpoint.resume_at
        end
    where endpoint.id = p_endpoint_id
        -- In good health nothing changes, and nothing is written.
        and (
            overloaded > 0
            or leave_alone is not null
            or now_failing and endpoint.failing_since is null
            or succeeded > 0 and (
                endpoint.slots < endpoint.max_concurrent
                or num_nonnulls(endpoint.failing_since, endpoint.resume_at) > 0
            )
        );
end;
$$;

revoke execute on function mailpipe.learn_pace(text, jsonb) from public, anon, authenticated;
grant execute on function mailpipe.learn_pace(text, jsonb) to mailpipe_worker;
