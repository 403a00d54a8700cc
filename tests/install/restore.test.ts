import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootstrapDatabase } from "../../supabase/local/bootstrap.ts";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { freePort } from "../../supabase/local/ports.ts";
import { type PostgresServer, startPostgres } from "../../supabase/local/postgres.ts";
import { removeDataDir } from "../../supabase/local/postgres-cluster.ts";
import { foundTenant, type Tenant } from "../database/tenant.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

const passphrase = "correct horse battery staple";
const dataDir = join(tmpdir(), `mailpipe-restore-${randomUUID()}`);

let first: TestDatabase;
let acme: Tenant;
let zeta: Tenant;
let wrapped: string;
let second: PostgresServer;
let there: Sql;
let platform: Sql;

beforeAll(async () => {
  first = await cloneDatabase();
  [acme, zeta] = [await foundTenant(first, "Acme"), await foundTenant(first, "Zeta")];
  await rotateTwice();
  await foundTenant(first, "Third");
  wrapped = await takenOut();
  second = await startPostgres({ dataDir, port: await freePort(undefined), durable: false });
  await bootstrapDatabase(second, "postgres", { scheduler: false });
  await applyMigrations(second.url("postgres", "postgres"));
  there = postgres(second.url("postgres", "postgres"), { max: 2, onnotice: () => {} });
  platform = postgres(second.url("supabase_admin", "postgres"), { max: 1, onnotice: () => {} });
  await restore();
}, 120_000);
afterAll(async () => {
  await there?.end();
  await platform?.end();
  await second?.stop();
  removeDataDir(dataDir);
  await first?.close();
});

/** So that the version the dump needs is not the one a new project makes for itself. */
async function rotateTwice(): Promise<void> {
  const owner = first.sql("postgres");
  for (const version of [1, 2]) {
    await owner`select mailpipe.rotate_master_key()`;
    await owner`select mailpipe.rewrap_oldest(500)`;
    await owner`delete from mailpipe.jobs where kind = 'rewrap_keys'`;
    await owner`select mailpipe.retire_master_key(${version})`;
  }
}

async function takenOut(): Promise<string> {
  const [row] = await first.sql("postgres")<{ wrapped: string }[]>`
    select mailpipe.take_out_master_key(${passphrase}) as wrapped
  `;
  return row?.wrapped ?? "";
}

/** Our tables, each after those its foreign keys name. */
async function tablesInOrder(): Promise<string[]> {
  const rows = await first.sql("postgres")<{ name: string; needs: string[] }[]>`
    select
      relname as name,
      array(
        select distinct theirs.relname::text
        from pg_constraint
        join pg_class as theirs on theirs.oid = confrelid
        where contype = 'f' and conrelid = pg_class.oid and confrelid <> conrelid
          and theirs.relnamespace = 'mailpipe'::regnamespace
      ) as needs
    from pg_class
    where relkind = 'r' and relnamespace = 'mailpipe'::regnamespace
    order by relname
  `;
  const placed: string[] = [];
  while (placed.length < rows.length) {
    const next = rows.filter(({ name, needs }) =>
      !placed.includes(name) && needs.every((each) => placed.includes(each))
    );
    if (next.length === 0) throw new Error("the tables' foreign keys run in a circle");
    placed.push(...next.map(({ name }) => name));
  }
  return placed;
}

async function copy(table: string, from: Sql, to: Sql): Promise<void> {
  const rows = await from.unsafe(`copy ${table} to stdout`).readable();
  await pipeline(rows, await to.unsafe(`copy ${table} from stdin`).writable());
}

/** A dump of every table of ours, and of the users their rows name, put into the second project. */
async function restore(): Promise<void> {
  await copy("auth.users", first.sql("supabase_admin"), platform);
  const tables = (await tablesInOrder()).map((name) => `mailpipe.${name}`);
  await there.unsafe(`truncate ${tables.join(", ")}`);
  for (const table of tables) await copy(table, first.sql("postgres"), there);
}

/** A provider's credentials, opened in the second project. */
async function opened({ organization_id, provider_id }: Tenant): Promise<string> {
  const [row] = await there<{ plain: string }[]>`
    select mailpipe.unseal(organization_id, 'providers', id, 'credentials', credentials) as plain
    from mailpipe.providers
    where organization_id = ${organization_id} and id = ${provider_id}
  `;
  return row?.plain ?? "no such row";
}

const bringIn = (version: number, armour = wrapped, secret = passphrase) =>
  there`select mailpipe.bring_in_master_key(${version}, ${armour}, ${secret})`;

const versions = () =>
  there`select version, newest, data_keys::int, in_vault from mailpipe.master_key_rotation order by version`;

const missing = {
  code: "PT503",
  message: "master_key_missing",
  detail: "version 3 is not in this project's Vault",
};

describe("a dump restored into another project, with another Vault, in order", () => {
  test("1. holds every row, and opens nothing: the error names the version", async () => {
    expect(await there`select id from mailpipe.providers`).toHaveLength(3);
    for (const tenant of [acme, zeta]) await expect(opened(tenant)).rejects.toMatchObject(missing);
    expect(await versions()).toEqual([{ version: 3, newest: true, data_keys: 3, in_vault: false }]);
  });

  test("2. takes no master key under a wrong passphrase, or whose armour was changed", async () => {
    const refused = { code: "28P01", message: "wrong_passphrase" };
    await expect(bringIn(3, wrapped, "correct horse battery stable")).rejects.toMatchObject(refused);
    const lines = wrapped.split("\n");
    for (
      const armour of ["", "nothing", lines.slice(0, -3).join("\n"), wrapped.replace(/\n(..)/g, "\n$1A")]
    ) {
      await expect(bringIn(3, armour)).rejects.toMatchObject(refused);
    }
    await expect(opened(acme)).rejects.toMatchObject(missing);
  });

  test("3. takes none for a version that no data key names, and none that does not open them all", async () => {
    const wrong = { code: "22023", message: "wrong_master_key" };
    await expect(bringIn(4)).rejects.toMatchObject({
      ...wrong,
      detail: "it opens 0 of the 0 data keys of version 4",
    });
    const [other] = await there<{ armour: string }[]>`
      select extensions.armor(extensions.pgp_sym_encrypt('another key', ${passphrase}, 'cipher-algo=aes256')) as armour
    `;
    await expect(bringIn(3, other?.armour)).rejects.toMatchObject({
      ...wrong,
      detail: "it opens 0 of the 3 data keys of version 3",
    });
    expect(await versions()).toMatchObject([{ version: 3, in_vault: false }]);
  });

  test("4. opens once the key is brought in, and lives on: new organizations, rotation, retirement", async () => {
    await bringIn(3);
    expect(await versions()).toEqual([{ version: 3, newest: true, data_keys: 3, in_vault: true }]);
    expect(await opened(acme)).toContain("secret of Acme");
    expect(await opened(zeta)).toContain("secret of Zeta");
    await there`select mailpipe.found_organization('New', ${acme.user_id})`;
    await there`select mailpipe.rotate_master_key()`;
    await there`select mailpipe.rewrap_oldest(500)`;
    await there`select mailpipe.retire_master_key(3)`;
    expect(await versions()).toEqual([{ version: 4, newest: true, data_keys: 4, in_vault: true }]);
    expect(await opened(acme)).toContain("secret of Acme");
  });

  test("5. and the first project noticed nothing", async () => {
    const [row] = await first.sql("postgres")<{ plain: string }[]>`
      select mailpipe.unseal(organization_id, 'providers', id, 'credentials', credentials) as plain
      from mailpipe.providers where id = ${acme.provider_id}
    `;
    expect(row?.plain).toContain("secret of Acme");
  });
});

test("the key may be brought in again, and where it never left, without harm", async () => {
  const owner = first.sql("postgres");
  for (let time = 0; time < 2; time++) {
    await owner`select mailpipe.bring_in_master_key(3, ${wrapped}, ${passphrase})`;
    const [row] = await owner<{ plain: string }[]>`
      select mailpipe.unseal(organization_id, 'providers', id, 'credentials', credentials) as plain
      from mailpipe.providers where id = ${zeta.provider_id}
    `;
    expect(row?.plain).toContain("secret of Zeta");
  }
});
