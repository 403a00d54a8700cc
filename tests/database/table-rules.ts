import { type CatalogRule, OURS } from "./catalog-rule.ts";

const tables = `pg_class.relkind in ('r', 'p') and pg_class.relnamespace in (${OURS})`;

/** What every table is like (security.md T1, T6, T8, T9). */
export const tableRules: CatalogRule[] = [
  {
    sentence: "Row-level security is enabled and forced on every table",
    query: `
      select oid::regclass::text as offence
      from pg_class
      where ${tables}
        and not (relrowsecurity and relforcerowsecurity)`,
    offence: "alter table mailpipe.messages no force row level security",
    finds: "mailpipe.messages",
  },
  {
    // Re-wrapping data keys is the installation's job and no tenant's; a constraint lets that one kind be nobody's.
    sentence: "The columns that say whose a row is are never null, but in a job of the installation",
    query: `
      select concat_ws(' ', pg_class.oid::regclass, attname) as offence
      from pg_class
      join pg_attribute on attrelid = pg_class.oid
      where ${tables}
        and (attname = 'organization_id' or (attname = 'environment' and relname <> 'audit'))
        and not attnotnull
        and not exists (
          select
          from pg_constraint
          where conrelid = pg_class.oid
            and conname = 'jobs_rewrapping_is_nobodys'
            and convalidated
        )`,
    offence: `alter table mailpipe.messages alter column organization_id drop not null;
      alter table mailpipe.jobs drop constraint jobs_rewrapping_is_nobodys`,
    finds: "mailpipe.jobs environment\nmailpipe.jobs organization_id\nmailpipe.messages organization_id",
  },
  {
    sentence: "Whose a row is, who made it and what it may never change again",
    query: `
      select concat_ws(' ', rolname, pg_class.oid::regclass, attname) as offence
      from pg_class
      join pg_attribute on attrelid = pg_class.oid and attnum > 0
      cross join pg_roles
      where ${tables}
        and rolname in ('mailpipe_tenant', 'mailpipe_worker')
        and attname in (
          'id', 'organization_id', 'environment', 'created_at', 'hash', 'last_four', 'scopes', 'issued_by_key',
          'issued_by_user', 'rotated_by_key', 'rotated_by_user', 'replaces', 'revoked_at', 'honey',
          'sending_domains', 'mailboxes', 'recipient_domains', 'ip_ranges', 'per_minute', 'per_day', 'limited_by',
          'window_id', 'position', 'seal', 'direction', 'message_id', 'provider_id', 'endpoint_id', 'event_id', 'storage_key', 'sha256'
        )
        and has_column_privilege(pg_roles.oid, pg_class.oid, attname, 'update')`,
    offence: "grant update on mailpipe.jobs to mailpipe_worker",
    finds: "mailpipe_worker mailpipe.jobs organization_id",
  },
  {
    sentence: "No role of ours may truncate, trigger, reference or maintain a table",
    query: `
      select concat_ws(' ', rolname, held, pg_class.oid::regclass) as offence
      from pg_class
      cross join pg_roles
      cross join unnest(array['truncate', 'trigger', 'references', 'maintain']) as held
      where ${tables}
        and rolname in ('mailpipe_tenant', 'mailpipe_worker')
        and has_table_privilege(pg_roles.oid, pg_class.oid, held)`,
    offence: "grant trigger on mailpipe.messages to mailpipe_tenant",
    finds: "mailpipe_tenant trigger mailpipe.messages",
  },
  {
    sentence: "A row points at rows of its own organization and environment only",
    query: `
      select conname::text as offence
      from pg_constraint
      where contype = 'f'
        and connamespace in (${OURS})
        and (
          select count(*)
          from pg_attribute
          where attrelid in (conrelid, confrelid)
            and attname in ('organization_id', 'environment')
            and not attisdropped
        ) = 4
        and not array['organization_id', 'environment'] <@ array(
          select mine.attname::text
          from unnest(conkey, confkey) as pair (here, there)
          join pg_attribute as mine on mine.attrelid = conrelid and mine.attnum = pair.here
          join pg_attribute as theirs on theirs.attrelid = confrelid and theirs.attnum = pair.there
          where mine.attname = theirs.attname
        )`,
    offence: `alter table mailpipe.attempts add constraint attempts_loose
      foreign key (provider_id) references mailpipe.providers (id)`,
    finds: "attempts_loose",
  },
  {
    sentence:
      "A row of Auth or of the host app is deleted without us: a foreign key of ours to it cascades or sets null",
    query: `
      select conname::text as offence
      from pg_constraint
      join pg_class on pg_class.oid = confrelid
      where contype = 'f'
        and connamespace in (${OURS})
        and relnamespace not in (${OURS})
        and confdeltype not in ('c', 'n')`,
    offence: `alter table mailpipe.mailboxes add column made_by uuid,
      add constraint mailboxes_maker foreign key (made_by) references auth.users (id)`,
    finds: "mailboxes_maker",
  },
  {
    sentence:
      "A column that names a row of ours is a foreign key to it, but for a job's subject, which may be of any kind, and a receipt, which outlives its organization",
    query: `
      select concat_ws(' ', pg_class.oid::regclass, attname) as offence
      from pg_class
      join pg_attribute on attrelid = pg_class.oid
      where ${tables}
        and attname in (
          'organization_id', 'thread_id', 'mailbox_id', 'provider_id', 'api_key_id', 'message_id', 'event_id',
          'endpoint_id', 'delivery_id', 'issued_by_key', 'rotated_by_key', 'replaces'
        )
        and relname <> 'deletions'
        and not exists (
          select
          from pg_constraint
          where contype = 'f'
            and conrelid = pg_class.oid
            and attnum = any (conkey)
        )`,
    offence: "alter table mailpipe.events drop constraint events_message",
    finds: "mailpipe.events message_id",
  },
  {
    sentence: "Every foreign key has an index that starts with its columns",
    query: `
      select conname::text as offence
      from pg_constraint
      where contype = 'f'
        and connamespace in (${OURS})
        and not exists (
          select
          from pg_index
          where indrelid = conrelid
            and indpred is null
            and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
        )`,
    offence: "drop index mailpipe.attempts_of_provider",
    finds: "attempts_provider",
  },
  {
    sentence: "Every constraint is named after its table and its rule, never by Postgres",
    query: `
      select conname::text as offence
      from pg_constraint
      join pg_class on pg_class.oid = conrelid
      where connamespace in (${OURS})
        and (
          not starts_with(conname, relname || '_')
          or conname ~ concat(
            case contype when 'c' then '_check' when 'f' then '_fkey' when 'u' then '_key' else '_excl' end,
            '[0-9]*$'
          )
        )`,
    offence: "alter table mailpipe.threads add check (message_count >= 0)",
    finds: "threads_message_count_check",
  },
  {
    sentence: "Every sealed column has a check that says AES-256",
    query: `
      select concat_ws(' ', pg_class.oid::regclass, attname) as offence
      from pg_class
      join pg_attribute on attrelid = pg_class.oid
      where ${tables}
        and atttypid = 'bytea'::regtype
        and attname not in ('hash', 'lines_hash', 'inbound_token_hash', 'fingerprint', 'token_hash', 'confirm_hash')
        and not exists (
          select
          from pg_constraint
          where contype = 'c'
            and conrelid = pg_class.oid
            and pg_get_constraintdef(pg_constraint.oid) ~ format('get_byte\\(%s, 3\\) = 9', attname)
        )`,
    offence: "alter table mailpipe.webhook_endpoints add column unsealed bytea",
    finds: "mailpipe.webhook_endpoints unsealed",
  },
];
