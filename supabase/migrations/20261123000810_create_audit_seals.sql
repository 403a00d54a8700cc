-- What: seals over ranges of the audit log, each hashing the one before it, and the check of a chain.
-- Why: whoever changes or takes away a sealed line breaks the chain, and its heads were told outside every day.
-- Locks: none on existing objects.

create table mailpipe.audit_seals (
    organization_id text collate "C" not null,
    sequence int not null,
    lines int not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    -- Of the lines alone; hash covers it with everything else the seal says.
    lines_hash bytea not null,
    hash bytea not null,
    -- A dropped range keeps its seal, so the chain still closes over it.
    dropped_at timestamptz,
    told_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint audit_seals_pkey primary key (organization_id, sequence),
    constraint audit_seals_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint audit_seals_hashes_are_sha256 check (octet_length(hash) = 32 and octet_length(lines_hash) = 32)
);

alter table mailpipe.audit_seals enable row level security;
alter table mailpipe.audit_seals force row level security;
grant select on mailpipe.audit_seals to mailpipe_tenant;

create policy "a caller reads the audit seals of its organization"
    on mailpipe.audit_seals
    for select
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around audit seals"
    on mailpipe.audit_seals
    as restrictive
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

-- One line as it is hashed: a JSON array of its columns, as Postgres writes jsonb.
create function mailpipe.audit_line(p_line mailpipe.audit)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_array(
        p_line.id, p_line.organization_id, p_line.environment, p_line.actor_kind, p_line.actor_id, p_line.action,
        p_line.subject_id, p_line.detail, mailpipe.rfc3339(p_line.created_at), p_line.position
    )::text;
$$;

revoke execute on function mailpipe.audit_line(mailpipe.audit) from public, anon, authenticated;
-- Granted to nobody: only sealing and verifying hash a line.

-- sha256 of the range's lines in order, a line feed after each.
create function mailpipe.lines_hash(p_organization_id text, p_sequence int)
returns bytea
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select sha256(
        convert_to(coalesce(string_agg(mailpipe.audit_line(line) || e'\n', '' order by line.position), ''), 'UTF8')
    )
    from mailpipe.audit as line
    where line.organization_id = p_organization_id
        and line.seal = p_sequence;
$$;

revoke execute on function mailpipe.lines_hash(text, int) from public, anon, authenticated;
-- Granted to nobody: only sealing and verifying hash a range.

-- sha256(the previous hash ‖ sequence ‖ count ‖ first and last time ‖ hash of the lines), the last four as text with
-- a line feed after each. The first range of an organization has 32 zero bytes before it.
create function mailpipe.seal_hash(p_seal mailpipe.audit_seals, p_previous bytea)
returns bytea
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select sha256(
        coalesce(p_previous, decode(repeat('00', 32), 'hex'))
        || convert_to(
            concat_ws(
                e'\n', p_seal.sequence, p_seal.lines, mailpipe.rfc3339(p_seal.first_at),
                mailpipe.rfc3339(p_seal.last_at), encode(p_seal.lines_hash, 'hex'), ''
            ),
            'UTF8'
        )
    );
$$;

revoke execute on function mailpipe.seal_hash(mailpipe.audit_seals, bytea) from public, anon, authenticated;
-- Granted to nobody: only sealing and verifying hash a seal.

create type mailpipe.sealed_range as (
    sequence int,
    lines int,
    hash text,
    dropped boolean,
    fault text
);

revoke usage on type mailpipe.sealed_range from public, anon, authenticated, service_role;
grant usage on type mailpipe.sealed_range to mailpipe_tenant;

-- Proves the chain of an organization: one row a sealed range, with what is wrong with it, or null. Also for the
-- operator: select * from mailpipe.verify_audit('org_…').
create function mailpipe.verify_audit(p_organization_id text)
returns setof mailpipe.sealed_range
language sql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
    select
        seal.sequence,
        seal.lines,
        encode(seal.hash, 'hex'),
        seal.dropped_at is not null,
        case
            when seal.sequence <> row_number() over (order by seal.sequence) then 'a range before this one is missing'
            when seal.hash <> mailpipe.seal_hash(seal, lag(seal.hash) over (order by seal.sequence))
            then 'the seal was changed'
            -- The shortest time a range may be kept.
            when seal.dropped_at < seal.last_at + interval '90 days' then 'dropped before its time'
            when seal.dropped_at is not null then null
            when seal.lines_hash <> mailpipe.lines_hash(seal.organization_id, seal.sequence)
            then 'a line was changed, added or taken away'
        end
    from mailpipe.audit_seals as seal
    where seal.organization_id = p_organization_id
    order by seal.sequence;
$$;

revoke execute on function mailpipe.verify_audit(text) from public, anon, authenticated;
-- Granted to nobody: audit asks through chain_of, and the operator as postgres.
