import type { Sql } from "postgres";
import { hashKey, mintKey } from "../../shared/keys.ts";
import { newWebhookSecret } from "../../shared/signature.ts";

/** Endpoints of one organization, alike but for their ids. */
export interface SeededEndpoints {
  organization: string;
  count: number;
  url: string;
  /** Tries it may have under way; all of them are open to it, as they are once it has answered well for a while. */
  maxConcurrent: number;
}

/** The id of an organization's `n`th endpoint, from 1. */
export function endpointId(organization: string, n: number): string {
  return `whk_${organization}_${n}`;
}

/** Inserts the organization with its endpoints, as the owner of the tables. */
export async function seedEndpoints(owner: Sql, endpoints: SeededEndpoints): Promise<void> {
  const { organization, count, url, maxConcurrent } = endpoints;
  await owner`insert into mailpipe.organizations (id, name) values (${organization}, 'bench')`;
  await owner`select mailpipe.create_data_key(${organization})`;
  await owner`
    insert into mailpipe.webhook_endpoints (
      id, organization_id, environment, url, events, secret, max_concurrent, slots
    )
    select
      made.id, ${organization}, 'live', ${url}, '{email.delivered}',
      extensions.pgp_sym_encrypt(
        ${newWebhookSecret()}, mailpipe.row_key(${organization}, 'webhook_endpoints', made.id, 'secret'),
        'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
      ),
      ${maxConcurrent}, ${maxConcurrent}
    from generate_series(1, ${count}::int) as n
    cross join lateral (select ${endpointId(organization, 0).slice(0, -1)}::text || n as id) as made
  `;
}

/** Inserts a key that may try the organization's endpoints, and gives it. */
export async function seedWebhookKey(owner: Sql, organization: string): Promise<string> {
  const { plain } = mintKey("live");
  await owner`
    insert into mailpipe.api_keys (id, organization_id, environment, name, hash, last_four, scopes, window_id)
    select made.id, ${organization}, 'live', 'bench', decode(${hashKey(plain)}, 'hex'), ${plain.slice(-4)},
      '{webhooks:read,webhooks:write}', made.id
    from (select mailpipe.new_id('key') as id) as made
  `;
  return plain;
}

let told = 0;

/**
 * Inserts `events` events that wait for each endpoint of the organization, the one after the other. As the superuser:
 * foreign keys hold by how the rows are made, and are not asked row by row.
 */
export async function seedWaiting(admin: Sql, organization: string, events: number): Promise<void> {
  const batch = `${organization}_${told++}_`;
  await admin.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`
      insert into mailpipe.events (id, organization_id, environment, type, data)
      select
        'evt_' || ${batch}::text || n, ${organization}, 'live', 'email.delivered',
        jsonb_build_object(
          'message_id', 'msg_' || lpad(n::text, 26, '0'), 'from', 'ada@sender.example',
          'to', jsonb_build_array('in' || n || '@receiver.example'), 'subject', 'Subject of message ' || n,
          'tags', jsonb_build_array('receipt'), 'metadata', jsonb_build_object('order', n)
        )
      from generate_series(1, ${events}::int) as n
    `;
    await transaction`
      with made as (
        insert into mailpipe.deliveries (id, organization_id, environment, event_id, endpoint_id)
        select
          'dlv_' || ${batch}::text || n || '_' || endpoint.id, ${organization}, 'live', 'evt_' || ${batch}::text || n,
          endpoint.id
        from generate_series(1, ${events}::int) as n
        cross join mailpipe.webhook_endpoints as endpoint
        where endpoint.organization_id = ${organization}
        returning id, endpoint_id
      )
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id, group_id, due_at)
      select
        ${organization}, 'live', 'dispatch_delivery', made.id, made.endpoint_id,
        mailpipe.clock() - interval '1 hour' + interval '1 millisecond' * row_number() over ()
      from made
    `;
  });
}

/** Takes dead rows away and counts the live ones: now, and not by autovacuum in the middle of a measurement. */
export async function tidy(admin: Sql): Promise<void> {
  for (const table of ["jobs", "deliveries", "events", "attempts", "webhook_endpoints"]) {
    await admin`vacuum analyze ${admin(`mailpipe.${table}`)}`;
  }
}
