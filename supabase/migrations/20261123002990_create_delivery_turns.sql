-- What: claims of deliveries.
-- Why: endpoints take turns, organizations before endpoints; each gets as many tries as it can bear.
-- Locks: none on existing objects.

-- Whether an endpoint may be asked once more from a lane, with what workers have in their hands for it, all in all and from
-- that lane: the quick half of tries_allowed. What waits for a disabled one only has to be ended.
create function mailpipe.has_room(p_endpoint mailpipe.webhook_endpoints, p_in_hand bigint, p_of_lane bigint)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    slots constant int := least(p_endpoint.slots, p_endpoint.max_concurrent);
begin
    return not p_endpoint.enabled
        or coalesce(p_endpoint.resume_at <= mailpipe.clock(), true)
        and coalesce(p_in_hand, 0) < slots
        and coalesce(p_of_lane, 0) < greatest(slots - 1, 1)
        and (p_endpoint.max_per_second is null or mailpipe.tries_left(p_endpoint) > 0);
end;
$$;

revoke execute on function mailpipe.has_room(mailpipe.webhook_endpoints, bigint, bigint) from public, anon, authenticated;
grant execute on function mailpipe.has_room(mailpipe.webhook_endpoints, bigint, bigint) to mailpipe_worker;

-- Endpoints with something due in a lane that they may be asked now: one of each organization first, then the second of
-- each, and so on. Who has least in workers' hands is first, and then who has waited longest.
create function mailpipe.endpoints_in_turn(p_lane text, p_limit int)
returns setof text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with in_hand as materialized (
        select job.organization_id, job.group_id, count(*) as count, count(*) filter (where job.lane = p_lane) as of_lane
        from mailpipe.jobs as job
        where job.kind = 'dispatch_delivery'
            and job.lease_until > mailpipe.clock()
        group by job.organization_id, job.group_id
    ),
    of_organizations as (
        select in_hand.organization_id, sum(in_hand.count) as count
        from in_hand
        group by in_hand.organization_id
    )
    select endpoint.id
    from mailpipe.groups_due('dispatch_delivery', p_lane) as due
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = due.group_id
    left join in_hand on in_hand.group_id = endpoint.id
    left join of_organizations on of_organizations.organization_id = endpoint.organization_id
    where endpoint.removed_at is null
        and mailpipe.has_room(endpoint, in_hand.count, in_hand.of_lane)
    order by
        row_number() over (
            partition by endpoint.organization_id
            order by coalesce(in_hand.count, 0), due.since, endpoint.id
        ),
        coalesce(of_organizations.count, 0),
        due.since
    limit p_limit;
end;
$$;

revoke execute on function mailpipe.endpoints_in_turn(text, int) from public, anon, authenticated;
grant execute on function mailpipe.endpoints_in_turn(text, int) to mailpipe_worker;

-- Takes up to p_room due deliveries from a lane, of each endpoint its share of the room that is left. An endpoint another
-- worker is looking at is left to it.
create function mailpipe.claim_lane(p_lane text, p_room int)
returns setof mailpipe.jobs
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    turns constant text[] := array(select mailpipe.endpoints_in_turn(p_lane, p_room));
    taken text[] := '{}';
    locked text[];
    share int;
    endpoint mailpipe.webhook_endpoints;
begin
    for turn in 1 .. cardinality(turns) loop
        select known.*
        into endpoint
        from mailpipe.webhook_endpoints as known
        where known.id = turns[turn]
        for no key update skip locked;

        continue when endpoint.id is null;
        share := ceil((p_room - cardinality(taken))::numeric / (cardinality(turns) - turn + 1));
        locked := mailpipe.lock_group(
            'dispatch_delivery', p_lane, endpoint.id,
            greatest(least(share, mailpipe.tries_allowed(endpoint, p_lane)), 0)
        );
        perform mailpipe.take_tries(endpoint, cardinality(locked));
        taken := taken || locked;
    end loop;
    -- Four times the total deadline of one try (15 s).
    return query
    select leased.*
    from mailpipe.lease_jobs(taken, interval '60 seconds') as leased;
end;
$$;

revoke execute on function mailpipe.claim_lane(text, int) from public, anon, authenticated;
grant execute on function mailpipe.claim_lane(text, int) to mailpipe_worker;
