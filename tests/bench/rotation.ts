import type { Sql } from "postgres";
import type { Figure } from "./figure.ts";
import type { Project } from "./project.ts";
import { median } from "./quantiles.ts";

const organizations = 1_000;
const valuesEach = 1_000;
// The first only warms.
const rounds = 41;
const worker = JSON.stringify({ project_secret: true });

/** The organizations of a database with their data keys; where they hold values, a thousand sealed credentials each. */
async function seed(owner: Sql, holding: boolean): Promise<void> {
  await owner`
    with founded as (
      insert into mailpipe.organizations (name) select 'org' from generate_series(1, ${organizations}::int) returning id
    )
    select mailpipe.create_data_key(id) from founded
  `;
  if (holding) await seedValues(owner);
  await owner`vacuum analyze mailpipe.providers`;
  await owner`vacuum analyze mailpipe.data_keys`;
}

/**
 * In the product's own table. One value is sealed for each organization and stored as often as it has rows: what a
 * rotation does with a value cannot depend on what is in it. The first row of each is the one it was sealed for.
 */
async function seedValues(owner: Sql): Promise<void> {
  await owner`
    insert into mailpipe.providers (
      id, organization_id, environment, kind, name, is_default, credentials, inbound_token_hash
    )
    select
      id || '_' || n, id, 'live', 'smtp', 'bench', false, sealed, sha256(convert_to(id || n, 'UTF8'))
    from (
      select
        id,
        extensions.pgp_sym_encrypt(
          repeat('x', 120), mailpipe.row_key(id, 'providers', id || '_1', 'credentials'),
          'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
        ) as sealed
      from mailpipe.organizations
      -- Sealed before it is multiplied.
      offset 0
    ) as sealed_once
    cross join generate_series(1, ${valuesEach}::int) as n
  `;
}

/** A whole rotation, from the operator's call to the end of its job; its milliseconds, and how many keys it re-wrapped. */
async function rotate(admin: Sql): Promise<{ took: number; rewrapped: number }> {
  const started = performance.now();
  await admin`select mailpipe.rotate_master_key()`;
  const [job] = await admin<{ id: string; fence: string }[]>`
    select id, fence from mailpipe.claim_jobs('rewrap_keys', 1, interval '1 minute')
  `;
  for (let rewrapped = 0;;) {
    const [row] = await admin<{ step: { rewrapped: number; done: boolean } }[]>`
      select mailpipe_api.rewrap_data_keys(${worker}::text::jsonb, ${job?.id ?? ""}, ${
      job?.fence ?? 0
    }) as step
    `;
    rewrapped += row?.step.rewrapped ?? 0;
    if (row?.step.done !== false) return { took: performance.now() - started, rewrapped };
  }
}

/**
 * A thousand bare re-wraps, from the newest version to one made before: one statement, with no job, no step and no count
 * around it; its milliseconds.
 */
async function rewrapBarely(owner: Sql): Promise<number> {
  const [newest] = await owner<{ version: number }[]>`
    select max(version) as version from mailpipe.master_keys
  `;
  const next = (newest?.version ?? 0) + 1;
  await owner`select mailpipe.create_master_key(${next})`;
  const started = performance.now();
  await owner`
    update mailpipe.data_keys as keys
    set
      master_key_version = ${next},
      wrapped = extensions.pgp_sym_encrypt(
        extensions.pgp_sym_decrypt(keys.wrapped, secrets.old), secrets.new,
        'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
      )
    from (select mailpipe.master_key(${
    next - 1
  }) as old, mailpipe.master_key(${next}) as new offset 0) as secrets
  `;
  return performance.now() - started;
}

/** Opens one value of each organization; how many opened. */
async function countOpened(owner: Sql): Promise<number> {
  const [row] = await owner<{ opened: string }[]>`
    select count(mailpipe.unseal(organization_id, 'providers', id, 'credentials', credentials)) as opened
    from mailpipe.providers
    where id = organization_id || '_1'
  `;
  return Number(row?.opened);
}

/** One round after the other, each with another first; the milliseconds of those that count. */
async function interleave(
  full: Sql,
  empty: Sql,
  bare: Sql,
): Promise<Record<"full" | "empty" | "bare", number[]>> {
  const took = { full: [] as number[], empty: [] as number[], bare: [] as number[] };
  const contenders = [
    async () => took.full.push((await rotate(full)).took),
    async () => took.empty.push((await rotate(empty)).took),
    async () => took.bare.push(await rewrapBarely(bare)),
  ];
  for (let round = 0; round < rounds; round++) {
    const first = round % contenders.length;
    for (const run of [...contenders.slice(first), ...contenders.slice(0, first)]) await run();
    // A round's dead rows are not the next one's cost.
    for (const sql of [full, empty]) await sql`vacuum mailpipe.data_keys`;
    if (round === 0) Object.values(took).forEach((times) => times.length = 0);
  }
  return took;
}

/** What a rotation costs a project that holds a million encrypted values, against one that holds none. */
export async function measureRotation(project: Project): Promise<Figure[]> {
  const [full, empty] = [await project.another("holding"), await project.another("empty")];
  await seed(full("postgres", 1), true);
  await seed(empty("postgres", 1), false);
  const took = await interleave(full("supabase_admin", 1), empty("supabase_admin", 1), empty("postgres", 1));
  const opened = await countOpened(full("postgres", 1));
  if (opened !== organizations) {
    throw new Error(`After the rotations ${opened} of ${organizations} values open.`);
  }
  const ratios = took.full.map((time, round) => time / (took.empty[round] ?? NaN));
  const seconds = (times: number[]) => `${(median(times) / 1000).toFixed(3)} s`;
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  return [
    {
      name: "rotation, 1,000,000 values / 1,000 re-wraps",
      value: median(ratios),
      atMost: 1.2,
      measured: `${seconds(took.full)} against ${
        seconds(took.empty)
      } with no values; ${ratios.length} rounds from ${low} to ${high}`,
    },
    {
      name: "the same / 1,000 re-wraps as one bare statement",
      value: median(took.full) / median(took.bare),
      measured: `${seconds(took.full)} against ${seconds(took.bare)}`,
    },
  ];
}
