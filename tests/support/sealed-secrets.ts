import type postgres from "postgres";
import { type Secret, secretsIn } from "./secret-kinds.ts";

// One that a test broke on purpose does not open, and then holds nothing either.
const opener = `
  create or replace function pg_temp.opened(p_query text)
  returns text
  language plpgsql
  as $$
  declare
      v_plain text;
  begin
      execute p_query into v_plain;
      return v_plain;
  exception when others then
      return null;
  end;
  $$;
`;

const vaulted = `
  select
    case
      when name = 'mailpipe_worker_secret' then 'workers'' secret'
      when name like 'mailpipe_master_key%' then 'master key'
      else 'Vault secret'
    end as kind,
    pg_temp.opened(format('select vault._open(%L, %L)', id, secret)) as plain
  from vault.secrets
  union all
  select 'Vault''s root key', vault._root_key()
`;

const dataKeys = `
  select
    'data key' as kind,
    pg_temp.opened(format(
      'select extensions.pgp_sym_decrypt(%L, mailpipe.master_key(%L))', wrapped, master_key_version
    )) as plain
  from mailpipe.data_keys
`;

/** A column is sealed when a check says that it holds AES-256 only. */
async function sealedColumns(sql: postgres.TransactionSql): Promise<string[]> {
  const columns = await sql<{ table: string; column: string }[]>`
    select class.relname as table, field.attname as column
    from pg_constraint as rule
    join pg_class as class on class.oid = rule.conrelid
    join pg_attribute as field on field.attrelid = class.oid and field.attnum = any (rule.conkey)
    where rule.conname like '%\_aes256' and class.relname <> 'data_keys'
  `;
  return columns.map(({ table, column }) => `
    select '${column}' as kind, pg_temp.opened(format(
      'select mailpipe.unseal(%L, %L, %L, %L, %L)', organization_id, '${table}', id, '${column}', ${column}
    )) as plain
    from mailpipe.${table}
  `);
}

function read(column: string, plain: string): Secret[] {
  const value = /^[[{]/.test(plain) ? JSON.parse(plain) as unknown : plain;
  return secretsIn({ [column]: value }, "webhooks");
}

/** Every secret a database holds sealed, opened: whatever way a test put it there, it must not stand in plain. */
export async function openSealed(sql: postgres.Sql): Promise<Secret[]> {
  const [present] = await sql<{ vault: boolean; ours: boolean }[]>`
    select to_regclass('vault.secrets') is not null as vault, to_regclass('mailpipe.data_keys') is not null as ours
  `;
  if (!present?.vault) return [];
  return await sql.begin(async (transaction) => {
    await transaction.unsafe(opener);
    const ask = (query: string) => transaction.unsafe<{ kind: string; plain: string | null }[]>(query);
    const known = await ask(present.ours ? `${vaulted} union all ${dataKeys}` : vaulted);
    const sealed = present.ours ? await ask((await sealedColumns(transaction)).join(" union all ")) : [];
    return [
      ...known.map(({ kind, plain }) => ({ kind, text: plain ?? "" }) as Secret),
      ...sealed.flatMap(({ kind, plain }) => plain === null ? [] : read(kind, plain)),
    ];
  });
}
