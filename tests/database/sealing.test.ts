import { Buffer } from "node:buffer";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, type Tenant } from "./tenant.ts";

let database: TestDatabase;
let owner: Sql;
let acme: Tenant;
let zeta: Tenant;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  [acme, zeta] = [await foundTenant(database, "Acme"), await foundTenant(database, "Zeta")];
});
afterAll(() => database.close());

/** Opens Acme's credentials as a worker would, were they found at the place named. */
async function open(
  place: { organization?: string; table?: string; id?: string; column?: string },
): Promise<string> {
  const [sealed] = await owner<{ credentials: Uint8Array }[]>`
    select credentials from mailpipe.providers where id = ${acme.provider_id}
  `;
  const {
    organization = acme.organization_id,
    table = "providers",
    id = acme.provider_id,
    column = "credentials",
  } = place;
  const [opened] = await database.sql("mailpipe_worker")<{ plain: string }[]>`
    select mailpipe.unseal(${organization}, ${table}, ${id}, ${column}, ${
    sealed?.credentials ?? null
  }) as plain
  `;
  return opened?.plain ?? "";
}

describe("promise 7: no provider credential rests in the database", () => {
  test("a worker opens what a caller sealed", async () => {
    expect(JSON.parse(await open({}))).toEqual({ host: "smtp.example", password: "secret of Acme" });
  });

  test.each([
    ["another organization", () => ({ organization: zeta.organization_id, id: zeta.provider_id })],
    ["another organization under the same id", () => ({ organization: zeta.organization_id })],
    ["another row", () => ({ id: zeta.provider_id })],
    ["another column", () => ({ column: "inbound_secret" })],
    ["another table", () => ({ table: "webhook_endpoints" })],
  ])("a ciphertext moved to %s does not open", async (_, place) => {
    await expect(open(place())).rejects.toMatchObject({ code: "39000" });
  });

  test("mailpipe_tenant cannot open one, nor reach any key", async () => {
    const tenant = database.sql("mailpipe_tenant");
    for (
      const call of [
        "unseal('a', 'providers', 'b', 'credentials', '\\x00')",
        "row_key('a', 'b', 'c', 'd')",
        "master_key(1)",
        "create_data_key('a')",
      ]
    ) {
      await expect(tenant.unsafe(`select mailpipe.${call}`), call).rejects.toMatchObject({ code: "42501" });
    }
    await expect(tenant`select wrapped from mailpipe.data_keys`).rejects.toMatchObject({ code: "42501" });
  });

  test("mailpipe_worker reaches no key either, only what opens with it", async () => {
    const worker = database.sql("mailpipe_worker");
    await expect(worker`select mailpipe.master_key(1)`).rejects.toMatchObject({ code: "42501" });
    await expect(worker`select mailpipe.row_key('a', 'b', 'c', 'd')`).rejects.toMatchObject({
      code: "42501",
    });
    await expect(worker`select decrypted_secret from vault.decrypted_secrets`).rejects.toMatchObject({
      code: "42501",
    });
  });

  test("sealing is for the pinned organization, and without one for nobody", async () => {
    await expect(
      database.sql("mailpipe_tenant")`select mailpipe.seal('providers', 'prv_x', 'credentials', 'x')`,
    )
      .rejects.toMatchObject({ code: "PT503", message: "data_key_missing" });
  });

  test("no two seals of the same text are alike", async () => {
    const sealed = await database.sql("mailpipe_tenant").begin(async (transaction) => {
      await transaction`select mailpipe.authenticate(${transaction.json(acme.live)}, 'caller')`;
      return await transaction<{ sealed: string }[]>`
        select encode(mailpipe.seal('providers', 'prv_x', 'credentials', 'same'), 'hex') as sealed
        from generate_series(1, 3)
      `;
    });
    expect(new Set(sealed.map((row) => row.sealed)).size).toBe(3);
  });

  test.each([
    ["providers", "credentials", "providers_credentials_aes256"],
    ["providers", "inbound_secret", "providers_inbound_secret_aes256"],
    ["data_keys", "wrapped", "data_keys_aes256"],
  ])("%s.%s takes AES-256 and not pgcrypto's default, AES-128", async (table, column, constraint_name) => {
    const store = (options: string) =>
      owner.unsafe(
        `update mailpipe.${table} set ${column} = extensions.pgp_sym_encrypt('x', 'k', '${options}')`,
      );
    await expect(store("s2k-mode=1")).rejects.toMatchObject({ code: "23514", constraint_name });
    await expect(owner.unsafe(`update mailpipe.${table} set ${column} = 'plain text'`)).rejects.toMatchObject(
      {
        constraint_name,
      },
    );
    await expect(owner.unsafe(`update mailpipe.${table} set ${column} = '\\x00'`)).rejects.toThrow();
  });

  test("a dump holds the hash of a key and no plain secret", async () => {
    const tables = await owner<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'mailpipe'::regnamespace and relkind = 'r'
    `;
    for (const { name } of tables) {
      const rows = await owner.unsafe(`select row::text as dumped from mailpipe.${name} as row`);
      const dumped = rows.map((row) => String(row["dumped"])).join("\n");
      expect(dumped, name).not.toContain("secret of");
      expect(dumped, name).not.toContain(Buffer.from("secret of").toString("hex"));
      expect(dumped, name).not.toContain("whsec_");
    }
  });

  test("without this project's Vault nothing opens, and the error says so", async () => {
    await owner.begin(async (transaction) => {
      await transaction`delete from vault.secrets where name like 'mailpipe_master_key%'`;
      await expect(transaction.savepoint((inner) =>
        inner`
        select mailpipe.unseal(${acme.organization_id}, 'providers', ${acme.provider_id}, 'credentials', credentials)
        from mailpipe.providers where id = ${acme.provider_id}
      `
      )).rejects.toMatchObject({ code: "PT503", message: "master_key_missing" });
      throw new Error("undone");
    }).catch((error: Error) => {
      if (error.message !== "undone") throw error;
    });
  });
});
