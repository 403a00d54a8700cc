import { type CatalogRule } from "./catalog-rule.ts";

const ours = "schemaname in ('mailpipe', 'mailpipe_api')";

/** What every policy is like (security.md T3 to T7). */
export const policyRules: CatalogRule[] = [
  {
    sentence: "Every policy names whom it is for: one of our roles, or authenticated",
    query: `
      select concat_ws(' ', tablename, policyname, roles) as offence
      from pg_policies
      where ${ours}
        and not roles <@ '{mailpipe_tenant, mailpipe_worker, authenticated}'::name[]`,
    offence: "create policy loose on mailpipe.messages for select using (organization_id = '')",
    finds: "messages loose {public}",
  },
  {
    sentence: "What authenticated may be granted is reading",
    query: `
      select concat_ws(' ', tablename, policyname) as offence
      from pg_policies
      where ${ours}
        and 'authenticated' = any (roles)
        and cmd <> 'SELECT'`,
    offence: `create policy writing on mailpipe.messages for insert to authenticated
      with check (organization_id = '')`,
    finds: "messages writing",
  },
  {
    sentence:
      "A policy for writing says what may be found and what may be left behind, and never simply true",
    query: `
      select concat_ws(' ', tablename, policyname) as offence
      from pg_policies
      where ${ours}
        and (
          (cmd in ('UPDATE', 'ALL') and (qual is null or with_check is null))
          or (cmd = 'INSERT' and with_check is null)
          or 'true' in (qual, with_check)
        )`,
    offence: `create policy half on mailpipe.messages for update to mailpipe_tenant
      using (organization_id = current_setting('x'))`,
    finds: "messages half",
  },
  {
    sentence: "At most one permissive policy serves a role and a command on a table",
    query: `
      select concat_ws(' ', tablename, served.role, command) as offence
      from pg_policies
      cross join lateral unnest(roles) as served (role)
      cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as command
      where ${ours}
        and permissive = 'PERMISSIVE'
        and cmd in ('ALL', command)
      group by tablename, served.role, command
      having count(*) > 1`,
    offence: "create policy second on mailpipe.jobs for select to mailpipe_worker using (fence > 1)",
    finds: "jobs mailpipe_worker SELECT",
  },
  {
    // A session that named no organization lists those it belongs to, so these two are read across, by membership.
    sentence: "A restrictive fence of organization and environment stands around every tenant table",
    query: `
      select pg_class.relname::text as offence
      from pg_class
      join pg_attribute on attrelid = pg_class.oid and attname = 'organization_id'
      where relkind = 'r'
        and relnamespace = 'mailpipe'::regnamespace
        and relname not in ('members', 'data_keys')
        and not exists (
          select
          from pg_policies
          where ${ours}
            and tablename = relname
            and permissive = 'RESTRICTIVE'
            and cmd = 'ALL'
            and roles = '{mailpipe_tenant}'
            and qual = with_check
            and qual ~ 'organization_id = '
            and (relname in ('audit', 'audit_seals', 'invitations', 'exports', 'export_parts') or qual ~ 'environment = ')
        )`,
    offence: 'drop policy "the tenant fence around messages" on mailpipe.messages',
    finds: "messages",
  },
  {
    sentence:
      "Every column a policy compares leads an index, or follows there right behind the user, or organization and environment",
    query: `
      select distinct concat_ws(' ', column_of.attrelid::regclass, column_of.attname) as offence
      from pg_policy
      join pg_class on pg_class.oid = polrelid
      join pg_depend on classid = 'pg_policy'::regclass and objid = pg_policy.oid and refobjsubid > 0
      join pg_attribute as column_of on attrelid = refobjid and attnum = refobjsubid
      where relnamespace = 'mailpipe'::regnamespace
        and refclassid = 'pg_class'::regclass
        and not exists (
          select
          from pg_index
          where indrelid = column_of.attrelid
            and indpred is null
            and (
              indkey[0] = column_of.attnum
              or (column_of.attname in ('environment', 'role') and indkey[1] = column_of.attnum)
              or (column_of.attname in ('mailbox_id', 'api_key_id', 'message_id') and indkey[2] = column_of.attnum)
            )
        )`,
    offence: "drop index mailpipe.members_of_user",
    finds: "mailpipe.members user_id",
  },
  {
    // A cast on the column's side hides it from its index.
    sentence:
      "No policy casts a column, reads what a user wrote of herself, or asks for a setting once a row",
    query: `
      select concat_ws(' ', tablename, policyname) as offence
      from pg_policies
      cross join lateral concat_ws(' ', qual, with_check) as text
      cross join lateral regexp_replace(text, '\\( SELECT (\\((NULLIF|COALESCE)\\()?(current_setting|auth\\.(uid|jwt))\\(', '', 'g') as bare
      where ${ours}
        and (bare ~ 'current_setting\\(|auth\\.|session_user|current_user' or text ~ 'user_metadata' or text ~ '\\((\\w+\\.)?\\w+\\)::')`,
    offence: `create policy slow on mailpipe.organizations for insert to mailpipe_worker
        with check (id = current_setting('mailpipe.organization_id'));
      create policy cast_away on mailpipe.members for delete to mailpipe_worker
        using (user_id::text = (select current_setting('mailpipe.user_id')))`,
    finds: "members cast_away\norganizations slow",
  },
  {
    sentence: "No policy calls a function of ours, which it might call once a row",
    query: `
      select concat_ws(' ', polrelid::regclass, polname) as offence
      from pg_policy
      join pg_depend on classid = 'pg_policy'::regclass and objid = pg_policy.oid and refclassid = 'pg_proc'::regclass
      join pg_proc on pg_proc.oid = refobjid
      join pg_class on pg_class.oid = polrelid
      where relnamespace = 'mailpipe'::regnamespace
        and refobjid not in ('auth.uid()'::regprocedure, 'auth.jwt()'::regprocedure)`,
    offence: `create policy calling on mailpipe.organizations for insert to mailpipe_worker
      with check (mailpipe.clock() is not null)`,
    finds: "mailpipe.organizations calling",
  },
];
