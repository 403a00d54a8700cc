import type { Sql } from "postgres";

/** How many messages there are, over how many organizations; the first has four in ten, the others share the rest. */
export const seeded = { messages: 1_000_000, organizations: 100 } as const;

/** The organization that lists: the large one. */
export const large = "org_list0";

/**
 * Inserts the organizations, a thread of each and environment, and the messages in one statement, as they came in
 * over a year. As the superuser: foreign keys hold by how the rows are made, and are not asked row by row.
 */
export async function seedMessages(admin: Sql): Promise<void> {
  await admin.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into mailpipe.organizations (id, name)
      select 'org_list' || n, 'bench ' || n
      from generate_series(0, ${seeded.organizations - 1}::int) as n
    `;
    await transaction`
      insert into mailpipe.threads (id, organization_id, environment, subject_key, participants)
      select 'thr_' || id || environment, id, environment, 'bench', '{ada@example.com}'
      from mailpipe.organizations
      cross join unnest(array['live', 'test']) as environment
      where starts_with(id, 'org_list')
    `;
    await transaction`
      insert into mailpipe.messages (
        id, organization_id, environment, direction, status, thread_id, from_email, subject, snippet, text_body,
        message_id_header, created_at
      )
      select
        'msg_' || lpad(n::text, 26, '0'), organization, environment, 'inbound', 'received',
        'thr_' || organization || environment, 'sender' || n % 5000 || '@example.com', 'Subject of message ' || n,
        repeat('What it says first. ', 4), repeat('What it says after that. ', 12), n || '@example.com',
        timestamptz '2026-01-01' + interval '31.5 seconds' * n
      from generate_series(1, ${seeded.messages}::int) as n
      cross join lateral (
        select
          'org_list' || case when n % 10 < 4 then 0 else 1 + n / 10 % ${
      seeded.organizations - 1
    }::int end as organization,
          case when n / 1000 % 10 = 0 then 'test' else 'live' end as environment
      ) as placed
    `;
  });
  // Now, and not by autovacuum in the middle of a measurement.
  await admin`vacuum analyze mailpipe.messages`;
}
