import type { Sql } from "postgres";
import { hashKey, mintKey } from "../../shared/keys.ts";

/** Keys as the edge reads them, checksum and all; every other key of the bench is known to SQL alone. */
export interface MintedKeys {
  live: string[];
  revoked: string[];
  expired: string[];
}

/** Together with the minted ones 100,000. `hot` have limits nobody reaches; `plain` have none. */
const counts = { hot: 1_000, plain: 98_600, live: 1, revoked: 200, expired: 199 } as const;

/** Mints the keys that the functions are asked with. */
export function mintKeys(): MintedKeys {
  const mint = (length: number) => Array.from({ length }, () => mintKey("live").plain);
  return { live: mint(counts.live), revoked: mint(counts.revoked), expired: mint(counts.expired) };
}

/**
 * `p_caller` of every key of a set, as JSON, in an order that jumps about the table. `counted` is a caller whose request
 * was counted by another call: its verification only reads.
 */
export function callersOf(set: "hot" | "plain", more: { counted?: true }): string[] {
  return Array.from({ length: counts[set] }, (_, index) => {
    // A prime, so that each key comes once.
    const number = (index * 7_919) % counts[set];
    return JSON.stringify({ key_hash: hashKey(`${set}${number}`), address: "192.0.2.1", ...more });
  });
}

/** Inserts the organization and its 100,000 keys, as the owner of the tables. */
export async function seedKeys(owner: Sql, minted: MintedKeys): Promise<void> {
  await owner`insert into mailpipe.organizations (id, name) values ('org_bench', 'bench')`;
  for (const [set, limit] of [["hot", 1_000_000_000], ["plain", null]] as const) {
    await owner`
      insert into mailpipe.api_keys (
        id, organization_id, environment, name, hash, last_four, scopes, window_id, per_minute, per_day, limited_by
      )
      select
        key.id, 'org_bench', 'live', 'bench', sha256(convert_to(${set}::text || n, 'UTF8')), 'abcd',
        '{mail:send,mail:read}', key.id, ${limit}::int, ${limit}::int,
        case when ${limit}::int is null then '{}' else array[key.id] end
      from generate_series(0, ${counts[set] - 1}::int) as n
      cross join lateral (select 'key_' || ${set}::text || n as id) as key
    `;
  }
  for (const [set, keys] of Object.entries(minted) as [keyof MintedKeys, string[]][]) {
    await insertMinted(owner, set, keys);
  }
  // Now, and not by autovacuum in the middle of a measurement.
  await owner`vacuum analyze mailpipe.api_keys`;
}

async function insertMinted(owner: Sql, set: keyof MintedKeys, keys: string[]): Promise<void> {
  const past = new Date("2026-01-02T00:00:00Z");
  await owner`
    insert into mailpipe.api_keys (
      id, organization_id, environment, name, hash, last_four, scopes, window_id, created_at, revoked_at, expires_at
    )
    select
      'key_' || ${set}::text || n, 'org_bench', 'live', 'bench', decode(hash, 'hex'), 'abcd', '{mail:send,mail:read}',
      'key_' || ${set}::text || n, '2026-01-01',
      ${set === "revoked" ? past : null}::timestamptz, ${set === "expired" ? past : null}::timestamptz
    from unnest(${keys.map(hashKey)}::text[]) with ordinality as minted (hash, n)
  `;
}
