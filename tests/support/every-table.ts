import { storeBytes } from "../../shared/storage.ts";
import type { Api } from "./api.ts";
import type { Tenant } from "./tenant.ts";

/** Tables of our schema that hold an organization's rows, by the catalog. */
export async function everyTable(api: Api): Promise<string[]> {
  const found = await api.database.sql("postgres")<{ name: string }[]>`
    select relname as name
    from pg_class
    where relnamespace = 'mailpipe'::regnamespace
      and relkind = 'r'
      and (relname = 'organizations' or exists (
        select from pg_attribute where attrelid = pg_class.oid and attname = 'organization_id'
      ))
    order by relname
  `;
  return found.map(({ name }) => name);
}

/** How many rows of an organization each table has. */
export async function organizationRows(api: Api, organizationId: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of await everyTable(api)) {
    const column = table === "organizations" ? "id" : "organization_id";
    const [row] = await api.database.sql("postgres").unsafe<{ held: number }[]>(
      `select count(*)::int as held from mailpipe.${table} where ${column} = $1`,
      [organizationId],
    );
    counts[table] = row?.held ?? 0;
  }
  return counts;
}

/**
 * Tables with a row whose text has `trace`, whatever its case: of one organization's rows in our schema, or (null) of
 * every schema of the database but Auth's and the system's. An address counts as itself only, not as the end or the
 * beginning of a longer one.
 */
export async function tablesThatMention(
  api: Api,
  organizationId: string | null,
  trace: string,
): Promise<string[]> {
  const sql = api.database.sql("supabase_admin");
  const tables = await sql<{ schema: string; name: string; tenant: string | null }[]>`
    select nspname as schema, relname as name, (
      select attname from pg_attribute
      where attrelid = pg_class.oid and attname = case relname when 'organizations' then 'id' else 'organization_id' end
    ) as tenant
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    where relkind = 'r' and nspname !~ '^(pg_|information_schema|auth|vault|supabase_migrations)'
    order by 1, 2
  `;
  const spelled = trace.replace(/[^a-z0-9@_]/gi, "\\$&");
  const pattern = `(?<![a-z0-9._%+-])${spelled}(?![a-z0-9-]|\\.[a-z0-9])`;
  const hits: string[] = [];
  for (const { schema, name, tenant } of tables) {
    if (organizationId !== null && (schema !== "mailpipe" || tenant === null)) continue;
    const found = await sql.unsafe(
      `select from ${schema}.${name} as held
       where lower(replace(held::text, '\\n', ' ')) ~ $1 ${
        organizationId === null ? "" : `and held.${tenant} = $2`
      } limit 1`,
      organizationId === null
        ? [trace.includes("@") ? pattern : trace.toLowerCase()]
        : [pattern, organizationId],
    );
    if (found.length > 0) hits.push(`${schema}.${name}`);
  }
  return hits;
}

/**
 * Puts at least one row of the tenant into every table, as the product writes them where a statement suffices, with
 * `address` in every column of free text that may hold one.
 */
export async function fillEveryTable(api: Api, tenant: Tenant, address: string): Promise<void> {
  const organization = tenant.organization_id;
  const sql = api.database.sql("postgres");
  const bytes = Buffer.alloc(32, `${organization}${address}`);
  const stored = await storeBytes({ organization_id: organization, environment: "live" }, bytes);
  const object = stored.key;
  await sql.begin(async (seed) => {
    await seed`
      insert into mailpipe.mailboxes (organization_id, environment, address, display_name)
      values (${organization}, 'live', ${address.toLowerCase()}, ${`Box of ${address}`}), (${organization}, 'test', 'o@x.test', ${address})
    `;
    await seed`
      insert into mailpipe.invitations (organization_id, email, role, token_hash, expires_at)
      values (${organization}, ${address.toLowerCase()}, 'viewer', ${bytes}, now())
    `;
    await seed`update mailpipe.api_keys set name = ${`key of ${address}`} where organization_id = ${organization}`;
    await seed`update mailpipe.providers set name = ${`account of ${address}`} where organization_id = ${organization}`;
    await seed`update mailpipe.organizations set name = ${`firm of ${address}`} where id = ${organization}`;
    await seed`
      insert into mailpipe.key_usage (organization_id, environment, key_id, used, refused)
      select organization_id, environment, id, 1, 0 from mailpipe.api_keys where organization_id = ${organization}
    `;
    const [thread] = await seed<{ id: string }[]>`
      insert into mailpipe.threads (organization_id, environment, subject_key, participants)
      values (${organization}, 'live', ${`about ${address}`}, ${[address.toLowerCase(), "bob@example.net"]})
      returning id
    `;
    // Two: one that is about the address and one of somebody else's in the same thread.
    const [message] = await seed<{ id: string }[]>`
      insert into mailpipe.messages (organization_id, environment, direction, status, thread_id, from_email, subject, text_body, raw_key)
      values (${organization}, 'live', 'inbound', 'received', ${
      thread?.id ?? ""
    }, 'bob@example.net', 's', ${`cc ${address}`}, ${object})
      returning id
    `;
    const [plain] = await seed<{ id: string }[]>`
      insert into mailpipe.messages (organization_id, environment, direction, status, thread_id, from_email, subject)
      values (${organization}, 'live', 'inbound', 'received', ${thread?.id ?? ""}, 'bob@example.net', 's')
      returning id
    `;
    await seed`
      insert into mailpipe.recipients (organization_id, environment, message_id, position, kind, email, status, reason)
      values (${organization}, 'live', ${message?.id ?? ""}, 0, 'to', ${address}, 'received', ${address})
    `;
    await seed`
      insert into mailpipe.attachments (organization_id, environment, message_id, position, filename, content_type, size_bytes, sha256, storage_key)
      values (${organization}, 'live', ${
      message?.id ?? ""
    }, 0, ${`${address}.txt`}, 'text/plain', 1, ${stored.sha256}, ${object})
    `;
    await seed`
      insert into mailpipe.webhook_endpoints (
        organization_id, environment, url, description, events, headers, header_names, secret, previous_secret,
        previous_secret_until
      )
      select ${organization}, 'live', ${`https://x.test/?to=${address}`}, ${address}, '{*}', wrapped,
        '{authorization}', wrapped, wrapped, now()
      from mailpipe.data_keys where organization_id = ${organization}
    `;
    const [event] = await seed<{ id: string }[]>`
      insert into mailpipe.events (organization_id, environment, type, message_id, data)
      values
        (${organization}, 'live', 'email.received', null, ${seed.json({ note: `line\n${address}` })}),
        (${organization}, 'live', 'email.received', ${plain?.id ?? ""}, '{}')
      returning id
    `;
    await seed`
      insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id)
      select ${organization}, 'live', event.id, endpoint.id
      from mailpipe.webhook_endpoints as endpoint, mailpipe.events as event
      where endpoint.organization_id = ${organization} and event.organization_id = ${organization}
        and event.environment = 'live' and endpoint.environment = 'live'
    `;
    await seed`
      insert into mailpipe.jobs (organization_id, environment, kind, subject_id, due_at)
      select organization_id, environment, 'dispatch_delivery', id, now() + interval '9 days' from mailpipe.deliveries
      where event_id = ${event?.id ?? ""}
    `;
    await seed`
      insert into mailpipe.attempts (organization_id, environment, job_id, fence, message_id, outcome, detail, finished_at)
      values (${organization}, 'live', ${`job_${plain?.id}`}, 1, ${
      plain?.id ?? ""
    }, 'sent', ${`550 <${address}>`}, now())
    `;
    const [request] = await seed<{ id: string }[]>`
      insert into mailpipe.inbound_requests (organization_id, environment, provider_id, kind, event_key, headers, storage_key, size_bytes, processed_at)
      select ${organization}, 'live', id, 'mime', ${`of ${address}`}, ${
      seed.json({ "x-envelope-to": address })
    }, ${object}, 1, now()
      from mailpipe.providers where organization_id = ${organization} limit 1
      returning id
    `;
    await seed`
      insert into mailpipe.early_events (organization_id, environment, provider_id, provider_message_id, request_id, event)
      select ${organization}, 'live', provider_id, 'x', id, ${seed.json({ recipient: address })}
      from mailpipe.inbound_requests where id = ${request?.id ?? ""}
    `;
    await seed`
      insert into mailpipe.idempotency_records (organization_id, environment, key, fingerprint, expires_at)
      values (${organization}, 'live', ${stored.sha256}, ${bytes}, now() + interval '1 day')
    `;
    await seed`
      insert into mailpipe.deletions (organization_id, environment, what, subject, confirm_hash, confirm_until, counts)
      values (${organization}, 'live', 'message', 'msg_x', ${
      Buffer.alloc(32, `${organization}2`)
    }, now(), '{}')
    `;
    await seed`
      insert into mailpipe.audit_seals (organization_id, sequence, lines, first_at, last_at, lines_hash, hash)
      values (${organization}, 1, 1, now(), now(), ${bytes}, ${bytes})
    `;
    const [exported] = await seed<{ id: string }[]>`
      insert into mailpipe.exports (organization_id, finished_at) values (${organization}, now()) returning id
    `;
    await seed`
      insert into mailpipe.export_parts (organization_id, export_id, number, kind, name, entries, size_bytes, sha256, storage_key)
      values (${organization}, ${exported?.id ?? ""}, 1, 'rows', 'rows/x', 1, 1, ${stored.sha256}, ${object})
    `;
    await seed`
      insert into mailpipe.saved_windows values (${organization}, now(), 1, now(), 1)
    `;
  });
}
