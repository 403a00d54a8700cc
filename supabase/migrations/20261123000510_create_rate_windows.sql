-- What: rate windows, and take(), which takes from them or refuses.
-- Why: a limit holds among calls that run at the same time, and costs no write-ahead log.
-- Locks: none on existing objects.

-- One row a subject with the four windows a limit can have, so that a request is one update. Unlogged: a crash empties
-- it. Windows of an hour and a day are copied each minute, so that minute is what a crash loses.
create unlogged table mailpipe.rate_windows (
    subject_id text collate "C" not null,
    second_at timestamptz not null,
    second_used int not null,
    minute_at timestamptz not null,
    minute_used int not null,
    hour_at timestamptz not null,
    hour_used int not null,
    day_at timestamptz not null,
    day_used int not null,
    constraint rate_windows_pkey primary key (subject_id)
) with (fillfactor = 50);

alter table mailpipe.rate_windows enable row level security;
alter table mailpipe.rate_windows force row level security;

create table mailpipe.saved_windows (
    subject_id text collate "C" not null,
    hour_at timestamptz not null,
    hour_used int not null,
    day_at timestamptz not null,
    day_used int not null,
    constraint saved_windows_pkey primary key (subject_id)
);

alter table mailpipe.saved_windows enable row level security;
alter table mailpipe.saved_windows force row level security;

-- How many a subject may take in each window; null is no limit.
create type mailpipe.limits as (
    per_second int,
    per_minute int,
    per_hour int,
    per_day int
);

revoke usage on type mailpipe.limits from public, anon, authenticated, service_role;
grant usage on type mailpipe.limits to mailpipe_tenant, mailpipe_worker;

-- The limited window with the fewest left, of two alike the longer one, as text: policy;limit;left;window in s;its end
-- and now in ms since 1970. Text, because building JSON would cost as much as the rest of a request.
create function mailpipe.tightest_window(p_policy text, p_limits mailpipe.limits, p_spent mailpipe.rate_windows)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    fewest int := 2147483647;
    bound int;
    seconds int;
    since timestamptz;
begin
    if p_limits.per_second - p_spent.second_used <= fewest then
        fewest := p_limits.per_second - p_spent.second_used;
        bound := p_limits.per_second;
        seconds := 1;
        since := p_spent.second_at;
    end if;
    if p_limits.per_minute - p_spent.minute_used <= fewest then
        fewest := p_limits.per_minute - p_spent.minute_used;
        bound := p_limits.per_minute;
        seconds := 60;
        since := p_spent.minute_at;
    end if;
    if p_limits.per_hour - p_spent.hour_used <= fewest then
        fewest := p_limits.per_hour - p_spent.hour_used;
        bound := p_limits.per_hour;
        seconds := 3600;
        since := p_spent.hour_at;
    end if;
    if p_limits.per_day - p_spent.day_used <= fewest then
        fewest := p_limits.per_day - p_spent.day_used;
        bound := p_limits.per_day;
        seconds := 86400;
        since := p_spent.day_at;
    end if;
    return concat_ws(
        ';', p_policy, bound, greatest(fewest, 0), seconds,
        (extract(epoch from since) * 1000)::bigint + seconds * 1000,
        (extract(epoch from mailpipe.clock()) * 1000)::bigint
    );
end;
$$;

revoke execute on function mailpipe.tightest_window(text, mailpipe.limits, mailpipe.rate_windows)
    from public, anon, authenticated;
-- Granted to nobody: only take tells of a window.
