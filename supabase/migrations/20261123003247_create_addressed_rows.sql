-- What: remove_addressed.
-- Why: a mailbox and an invitation that are the person's go.
-- Locks: none on existing objects.

create function mailpipe.remove_addressed(p_table text, p_deletion mailpipe.deletions)
returns int
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    gone int := 0;
begin
    if p_table = 'mailboxes' then
        delete from mailpipe.mailboxes
        where organization_id = p_deletion.organization_id
            and address = p_deletion.subject;
    elsif p_table = 'invitations' then
        delete from mailpipe.invitations
        where organization_id = p_deletion.organization_id
            and email = p_deletion.subject;
    end if;
    get diagnostics gone = row_count;
    return gone;
end;
$$;

revoke execute on function mailpipe.remove_addressed(text, mailpipe.deletions) from public, anon, authenticated;
-- Granted to nobody: only forgetting removes them.
