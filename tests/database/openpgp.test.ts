import { Buffer } from "node:buffer";
import { decrypt, readMessage } from "openpgp";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { decryptWithGpg, gpgInstalled, gpgName } from "../support/gpg.ts";
import { foundTenant, rpc, type Tenant } from "./tenant.ts";

/** Where a sealed value belongs. */
interface Place {
  organization_id: string;
  table: string;
  id: string;
  column: string;
}

interface Sealed extends Place {
  sealed: Buffer;
}

let database: TestDatabase;
let owner: Sql;
let all: Sealed[];

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  for (const name of ["Acme", "Zeta"]) await sealMore(await foundTenant(database, name));
  all = (await owner<Sealed[]>`
    select organization_id, 'providers' as table, id, 'credentials' as column, credentials as sealed
    from mailpipe.providers
    union all
    select organization_id, 'providers', id, 'inbound_secret', inbound_secret from mailpipe.providers
    union all
    select organization_id, 'webhook_endpoints', id, 'secret', secret from mailpipe.webhook_endpoints
    union all
    select organization_id, 'webhook_endpoints', id, 'previous_secret', previous_secret
    from mailpipe.webhook_endpoints
    union all
    select organization_id, 'webhook_endpoints', id, 'headers', headers from mailpipe.webhook_endpoints
  `).map((each) => ({ ...each, sealed: Buffer.from(each.sealed) }));
});
afterAll(() => database.close());

/** A second row of the same table, and one of another. */
async function sealMore(tenant: Tenant): Promise<void> {
  const api = database.sql("service_role");
  await rpc(api, "create_provider", {
    p_caller: tenant.session,
    p_request: {
      kind: "resend",
      name: "second",
      credentials: { api_key: "secret of the second" },
      inbound_token_hash: Buffer.from(tenant.organization_id.padEnd(32)).toString("hex").slice(0, 64),
      inbound_secret: "whsec_second",
    },
  });
  const { id } = await rpc(api, "create_webhook", {
    p_caller: tenant.session,
    p_request: {
      url: "https://hooks.example/in",
      events: ["*"],
      secret: "whsec_before_it",
      environment: "live",
      description: null,
      headers: { authorization: "Bearer of the endpoint" },
      thin: false,
      max_concurrent: 10,
    },
  });
  await rpc(api, "rotate_webhook_secret", {
    p_caller: tenant.session,
    p_id: id,
    p_request: { secret: "whsec_endpoint", overlap_seconds: 60 },
  });
}

/** What opening each as mailpipe_worker comes to: the SQLSTATE of the refusal, or the plain text. */
async function outcomes(tries: Sealed[]): Promise<string[]> {
  return await database.sql("mailpipe_worker").begin(async (sql) => {
    await sql.unsafe(`
      create or replace function pg_temp.outcome(o text, t text, i text, c text, s bytea)
      returns text language plpgsql as $$
      begin
        return concat('opened: ', mailpipe.unseal(o, t, i, c, s));
      exception when others then
        return sqlstate;
      end $$
    `);
    const rows = await sql<{ outcome: string }[]>`
      select pg_temp.outcome(o, t, i, c, decode(s, 'hex')) as outcome
      from unnest(
        ${tries.map((each) => each.organization_id)}::text[], ${tries.map((each) => each.table)}::text[],
        ${tries.map((each) => each.id)}::text[], ${tries.map((each) => each.column)}::text[],
        ${tries.map((each) => each.sealed.toString("hex"))}::text[]
      ) with ordinality as given (o, t, i, c, s, n)
      order by n
    `;
    return rows.map(({ outcome }) => outcome);
  });
}

async function rowKey({ organization_id, table, id, column }: Place): Promise<string> {
  const [row] = await owner<{ key: string }[]>`
    select mailpipe.row_key(${organization_id}, ${table}, ${id}, ${column}) as key
  `;
  return row?.key ?? "";
}

/** One of the fourteen, by what it is. */
function sealedAs(column: string): Sealed {
  const found = all.find((each) => each.column === column);
  if (found === undefined) throw new Error(column);
  return found;
}

describe("a sealed value, opened with OpenPGP.js, which every machine has", () => {
  test("opens with the row's key, and with no other row's", async () => {
    const value = sealedAs("credentials");
    const open = async (password: string) => {
      const message = await readMessage({ binaryMessage: new Uint8Array(value.sealed) });
      return (await decrypt({ message, passwords: [password] })).data as string;
    };
    expect(await open(await rowKey(value))).toContain("secret of ");
    for (const other of all.filter((each) => each !== value)) {
      await expect(open(await rowKey(other))).rejects.toThrow();
    }
  });
});

describe(`a sealed value, opened with ${gpgName}`, () => {
  test.skipIf(!gpgInstalled)("opens with the row's key, as AES-256", async () => {
    for (
      const [column, plain] of [
        ["credentials", "secret of Acme"],
        ["secret", "whsec_endpoint"],
        ["previous_secret", "whsec_before_it"],
        ["headers", "Bearer of the endpoint"],
      ] as const
    ) {
      const value = sealedAs(column);
      const opened = await decryptWithGpg(value.sealed, await rowKey(value));
      expect(opened).toMatchObject({ status: 0, plain: expect.stringContaining(plain) as string });
      expect(opened.said).toContain("AES256.CFB");
    }
  });

  test.skipIf(!gpgInstalled)(
    "opens with the key of no other row, column, table or organization",
    async () => {
      const value = sealedAs("credentials");
      for (const other of all.filter((each) => each !== value)) {
        const opened = await decryptWithGpg(value.sealed, await rowKey(other));
        expect(opened.status).not.toBe(0);
        expect(opened.plain).toBe("");
        expect(opened.said).toContain("decryption failed: Bad session key");
      }
    },
  );
});

describe("a sealed value", () => {
  test("opens at its own place: fourteen of them, so that what is refused below could be opened", async () => {
    expect(all).toHaveLength(14);
    for (const outcome of await outcomes(all)) {
      expect(outcome).toMatch(/^opened: .*(secret of|whsec_|.*Bearer of)/);
    }
  });

  test("opens at none of the others' places, whichever two are swapped", async () => {
    const swapped = all.flatMap((place) =>
      all.filter((each) => each !== place).map(({ sealed }) => ({ ...place, sealed }))
    );
    expect(swapped).toHaveLength(182);
    expect(new Set(await outcomes(swapped))).toEqual(new Set(["39000"]));
  });

  test("is refused with any one bit of it flipped", async () => {
    const value = sealedAs("credentials");
    const flipped = Array.from({ length: value.sealed.length * 8 }, (_, bit) => {
      const sealed = Buffer.from(value.sealed);
      sealed[bit >> 3] = (sealed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      return { ...value, sealed };
    });
    const opened = (await outcomes(flipped)).map((outcome, bit) => ({ bit, outcome }))
      .filter(({ outcome }) => outcome !== "39000");
    expect(opened).toEqual([]);
  });

  test.each([0, 1, 100, 150, 200, 5_000, 8_400, 16_000, 16_384, 16_400, 70_000])(
    "of %i characters opens, and with its length told otherwise it does not",
    async (length) => {
      const place = sealedAs("credentials");
      const [row] = await owner<{ sealed: Buffer }[]>`
        select extensions.pgp_sym_encrypt(
          repeat('x', ${length}), ${await rowKey(place)}, 'cipher-algo=aes256, s2k-mode=1, compress-algo=0'
        ) as sealed
      `;
      const sealed = Buffer.from(row?.sealed ?? "");
      const [opened = ""] = await outcomes([{ ...place, sealed }]);
      expect([opened.slice(0, 8), opened.length]).toEqual(["opened: ", 8 + length]);
      const others = Array.from({ length: 256 }, (_, first) => {
        const told = Buffer.from(sealed);
        told[15] = first;
        return { ...place, sealed: told };
      }).filter(({ sealed: told }) => !told.equals(sealed));
      expect(new Set(await outcomes(others))).toEqual(new Set(["39000"]));
    },
  );

  test("is refused cut short anywhere, and with anything behind it", async () => {
    const value = sealedAs("credentials");
    const cut = Array.from({ length: value.sealed.length }, (_, length) => value.sealed.subarray(0, length));
    const longer = [Buffer.from([0]), value.sealed].map((tail) => Buffer.concat([value.sealed, tail]));
    const tries = [...cut, ...longer].map((sealed) => ({ ...value, sealed }));
    expect(new Set(await outcomes(tries))).toEqual(new Set(["39000"]));
  });
});

describe("mailpipe_tenant", () => {
  test("decrypts nothing of what it reads, by any road", async () => {
    const tenant = database.sql("mailpipe_tenant");
    const value = sealedAs("credentials");
    const key = await rowKey(value);
    const sealed = value.sealed.toString("hex");
    for (
      const call of [
        `extensions.pgp_sym_decrypt(decode('${sealed}', 'hex'), '${key}')`,
        `extensions.pgp_sym_decrypt_bytea(decode('${sealed}', 'hex'), '${key}')`,
        `mailpipe.unseal('${value.organization_id}', 'providers', '${value.id}', 'credentials', decode('${sealed}', 'hex'))`,
        `mailpipe.row_key('${value.organization_id}', 'providers', '${value.id}', 'credentials')`,
        "mailpipe.master_key(1)",
        "mailpipe.rewrap_oldest(1)",
        "mailpipe.rotate_master_key()",
        "mailpipe.retire_master_key(1)",
        "mailpipe.hand_out_master_key('a long passphrase', 'session', 'x')",
        "mailpipe.wrap_master_key(1, 'a long passphrase')",
        "mailpipe.take_out_master_key('a long passphrase')",
        "mailpipe.unwrap_master_key('x', 'a long passphrase')",
        "mailpipe.bring_in_master_key(1, 'x', 'a long passphrase')",
        "mailpipe.opens('\\x00', 'x')",
        "vault.create_secret('x')",
      ]
    ) {
      await expect(tenant.unsafe(`select ${call}`), call).rejects.toMatchObject({ code: "42501" });
    }
    for (const table of ["mailpipe.data_keys", "mailpipe.master_keys", "mailpipe.master_key_rotation"]) {
      await expect(tenant.unsafe(`select * from ${table}`), table).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("does read the ciphertext, so the refusals above are about opening it", async () => {
    const acme = await foundTenant(database, "Third");
    const rows = await database.sql("mailpipe_tenant").begin(async (sql) => {
      await sql`select mailpipe.authenticate(${sql.json(acme.session)}, 'caller')`;
      return await sql<{ credentials: Buffer }[]>`select credentials from mailpipe.providers`;
    });
    expect(rows).toHaveLength(1);
    expect(rows[0]?.credentials.toString("latin1")).not.toContain("secret of");
  });
});
