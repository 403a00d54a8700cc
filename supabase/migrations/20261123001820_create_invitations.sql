-- What: invitations.
-- Why: whoever holds the token and the invited address, confirmed, becomes a member; once, and not for ever.
-- Locks: a foreign key to auth.users takes a brief share row exclusive lock there.

create table mailpipe.invitations (
    id text collate "C" not null default mailpipe.new_id('inv'),
    organization_id text collate "C" not null,
    email text not null,
    role text not null,
    -- SHA-256 of the token, which was shown once.
    token_hash bytea not null,
    invited_by uuid,
    expires_at timestamptz not null,
    accepted_at timestamptz,
    withdrawn_at timestamptz,
    created_at timestamptz not null default mailpipe.clock(),
    constraint invitations_pkey primary key (id),
    constraint invitations_token_unique unique (token_hash),
    constraint invitations_organization foreign key (organization_id)
        references mailpipe.organizations (id) on delete cascade,
    constraint invitations_inviter foreign key (invited_by)
        references auth.users (id) on delete set null,
    constraint invitations_role_known check (role in ('owner', 'admin', 'member', 'viewer')),
    constraint invitations_email_folded check (email = lower(email) and char_length(email) <= 254),
    constraint invitations_token_is_sha256 check (octet_length(token_hash) = 32),
    constraint invitations_end_once check (num_nonnulls(accepted_at, withdrawn_at) <= 1)
);

create index invitations_newest on mailpipe.invitations (organization_id, created_at desc, id desc);
create index invitations_of_inviter on mailpipe.invitations (invited_by);

-- Inviting an address again ends the invitation before.
create unique index invitations_one_open
    on mailpipe.invitations (organization_id, email)
    where accepted_at is null and withdrawn_at is null;

alter table mailpipe.invitations enable row level security;
alter table mailpipe.invitations force row level security;
grant select, insert on mailpipe.invitations to mailpipe_tenant;
grant update (withdrawn_at) on mailpipe.invitations to mailpipe_tenant;

create policy "a caller works on the invitations of its organization"
    on mailpipe.invitations
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

create policy "the tenant fence around invitations"
    on mailpipe.invitations
    as restrictive
    for all
    to mailpipe_tenant
    using (organization_id = (select current_setting('mailpipe.organization_id', true)))
    with check (organization_id = (select current_setting('mailpipe.organization_id', true)));

-- An invitation lives as long as whoever made it may make it: not after a removal, nor beyond a lower role.
create function mailpipe.inviter_may(p_invitation mailpipe.invitations)
returns boolean
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select exists (
        select
        from mailpipe.members as inviter
        where inviter.organization_id = p_invitation.organization_id
            and inviter.user_id = p_invitation.invited_by
            and (inviter.role = 'owner' or (inviter.role = 'admin' and p_invitation.role <> 'owner'))
    );
$$;

revoke execute on function mailpipe.inviter_may(mailpipe.invitations) from public, anon, authenticated;
grant execute on function mailpipe.inviter_may(mailpipe.invitations) to mailpipe_tenant;

create function mailpipe.show_invitation(p_invitation mailpipe.invitations)
returns jsonb
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object(
        'id', p_invitation.id,
        'email', p_invitation.email,
        'role', p_invitation.role,
        'state', case
            when p_invitation.accepted_at is not null then 'accepted'
            when p_invitation.withdrawn_at is not null or not mailpipe.inviter_may(p_invitation) then 'withdrawn'
            when p_invitation.expires_at <= mailpipe.clock() then 'expired'
            else 'open'
        end,
        'invited_by', p_invitation.invited_by,
        'expires_at', mailpipe.rfc3339(p_invitation.expires_at),
        'created_at', mailpipe.rfc3339(p_invitation.created_at)
    );
$$;

revoke execute on function mailpipe.show_invitation(mailpipe.invitations) from public, anon, authenticated;
grant execute on function mailpipe.show_invitation(mailpipe.invitations) to mailpipe_tenant;
