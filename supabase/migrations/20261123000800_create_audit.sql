-- What: the append-only audit log, and the seals over its ranges.
-- Why: who did what to which object, by id and never by address; a seal shows whether a line was changed since.
-- Locks: none on existing objects.

create table mailpipe.audit (
    id text collate "C" not null default mailpipe.new_id('aud'),
    organization_id text collate "C" not null,
    environment text,
    actor_kind text not null,
    actor_id text not null,
    action text not null,
    subject_id text,
    detail jsonb not null default '{}',
    created_at timestamptz not null default mailpipe.clock(),
    -- The order lines were written in, which a seal hashes them in.
    position bigint generated always as identity,
    -- The sealed range the line lies in. Stamped, not computed: a line committed late goes into the next range.
    seal int,
    constraint audit_pkey primary key (id),
    constraint audit_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint audit_action_is_dotted check (action ~ '^[a-z_]+\.[a-z_]+$')
);

create index audit_newest on mailpipe.audit (organization_id, created_at desc, id desc);
create index audit_of_subject on mailpipe.audit (organization_id, subject_id, created_at desc);
create index audit_unsealed on mailpipe.audit (organization_id, created_at) where seal is null;
create index audit_sealed on mailpipe.audit (organization_id, seal, position);

alter table mailpipe.audit enable row level security;
alter table mailpipe.audit force row level security;
-- Who adds a line chooses neither its id, its time and place in the order, nor the sealed range it would lie in.
grant select on mailpipe.audit to mailpipe_tenant;
grant insert (organization_id, environment, actor_kind, actor_id, action, subject_id, detail)
    on mailpipe.audit
    to mailpipe_tenant, mailpipe_worker;

create policy "a caller reads the audit log of its organization"
    on mailpipe.audit
    for select
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "a caller adds to the audit log of its organization"
    on mailpipe.audit
    for insert
    to mailpipe_tenant
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around audit"
    on mailpipe.audit
    as restrictive
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "a worker adds to the audit log"
    on mailpipe.audit
    for insert
    to mailpipe_worker
    with check ((select current_setting('mailpipe.worker', true)) = 'on');

create function mailpipe.record_audit(p_me mailpipe.caller, p_action text, p_subject_id text, p_detail jsonb)
returns void
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
    insert into mailpipe.audit (organization_id, environment, actor_kind, actor_id, action, subject_id, detail)
    values (p_me.organization_id, p_me.environment, p_me.kind, p_me.id, p_action, p_subject_id, p_detail);
$$;

revoke execute on function mailpipe.record_audit(mailpipe.caller, text, text, jsonb)
    from public, anon, authenticated;
grant execute on function mailpipe.record_audit(mailpipe.caller, text, text, jsonb) to mailpipe_tenant;
