import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase, type TestRole } from "../support/database.ts";
import { rewrite } from "./careless.ts";
import { type Caller, foundTenant, hashOf, rpc, send, signIn, type Tenant } from "./tenant.ts";

const denied = { code: "42501" };
const pinned =
  "select coalesce(nullif(current_setting('mailpipe.organization_id', true), ''), 'none') as tenant";
const page = { limit: 100 };

let database: TestDatabase;
let owner: Sql;
let service: Sql;
let acme: Tenant;
let zeta: Tenant;
/** A key of Acme's for one mailbox, and Acme's other mailbox. */
let fenced: Caller;
let beyond: string;
let settings: string[];

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  service = database.sql("service_role");
  [acme, zeta] = [await foundTenant(database, "Acme"), await foundTenant(database, "Zeta")];
  for (const { live, test: other } of [acme, zeta]) {
    await send(service, live, "live");
    await send(service, other, "test");
  }
  fenced = { key_hash: await fencedKey() };
  beyond = await mailbox("beyond@acme.example");
  const named = await owner<{ name: string }[]>`
    with texts as (
      select prosrc as text from pg_proc where pronamespace in ('mailpipe'::regnamespace, 'mailpipe_api'::regnamespace)
      union all
      select concat(qual, with_check) from pg_policies where schemaname = 'mailpipe'
    )
    select distinct (regexp_matches(text, '''(mailpipe\\.[a-z_]+)''', 'g'))[1] as name
    from texts
    where text ~ '(current_setting|set_config|pin)\\('
  `;
  settings = named.map(({ name }) => name).filter((name) => name !== "mailpipe.seal_audit").sort();
});
afterAll(() => database.close());

async function mailbox(address: string): Promise<string> {
  return String(
    (await rpc(service, "create_mailbox", { p_caller: acme.live, p_request: { address } }))["id"],
  );
}

async function fencedKey(): Promise<string> {
  const id = await mailbox("fence@acme.example");
  const p_hash = hashOf(randomUUID());
  await rpc(service, "issue_key", {
    p_caller: acme.session,
    p_hash,
    p_last_four: "last",
    p_request: {
      name: "fenced",
      environment: "live",
      scopes: ["mail:read", "mailboxes:read"],
      fences: { mailboxes: [id] },
    },
  });
  return p_hash;
}

/** What a caller is, and the id of everything it can list. */
interface Seen {
  me: unknown;
  ids: string[];
}

async function reads(sql: Parameters<typeof rpc>[0], p_caller: Caller): Promise<Seen> {
  const me = await rpc(sql, "whoami", { p_caller });
  const lists = ["list_messages", "list_mailboxes"].map((name) =>
    rpc<{ data: { id: string }[] }>(sql, name, { p_caller, p_request: page })
  );
  return { me, ids: (await Promise.all(lists)).flatMap(({ data }) => data.map(({ id }) => id)) };
}

/** What somebody might want to put into a setting. */
const forgeries = () => [
  zeta.organization_id,
  acme.organization_id,
  "test",
  "live",
  "on",
  "",
  beyond,
  acme.key_id,
  zeta.key_id,
  zeta.user_id,
  zeta.provider_id,
  "%",
];

describe("A8: a tenant's context forged before a call", () => {
  test("has the settings this test forges, and no function but these sets one", async () => {
    expect(settings).toEqual([
      "mailpipe.connection_id",
      "mailpipe.environment",
      "mailpipe.key_id",
      "mailpipe.mailboxes",
      "mailpipe.organization_id",
      "mailpipe.user_id",
      "mailpipe.worker",
    ]);
    const setting = await owner<{ name: string }[]>`
      select proname as name from pg_proc
      where pronamespace in ('mailpipe'::regnamespace, 'mailpipe_api'::regnamespace)
        and prosrc ~* 'set_config|\\mset\\s+(local|session|role)\\M(?!\\s*=)|\\mreset\\s'
      order by proname
    `;
    expect(setting.map(({ name }) => name)).toEqual(["pin", "pin_tenant", "tell_window"]);
    const lasting = await owner`
      select proname from pg_proc where prosrc ~ 'set_config\\([^;]*false\\s*\\)' and pronamespace = 'mailpipe'::regnamespace
    `;
    expect(lasting).toEqual([]);
  });

  test.each([
    ["for the transaction", true],
    ["for the whole connection", false],
  ])("%s is refused or shows nothing more", async (_, local) => {
    const callers: [string, Caller][] = [
      ["key", acme.live],
      ["session", acme.session],
      ["fenced key", fenced],
    ];
    let answered = 0;
    for (const [name, caller] of callers) {
      const honest = await reads(service, caller);
      expect(honest.ids.length, name).toBeGreaterThan(0);
      for (const setting of settings) {
        for (const value of forgeries()) {
          const connection = await service.reserve();
          await connection`begin`;
          await connection`select set_config(${setting}, ${value}, ${local})`;
          const seen = await reads(connection, caller).catch((error: { code: string }) => {
            expect({ name, setting, value, code: error.code }).toMatchObject({ code: "PT403" });
          });
          await connection`rollback`;
          await connection.unsafe("reset all");
          connection.release();
          if (seen === undefined) continue;
          expect({ name, setting, value, me: seen.me }).toMatchObject({ me: honest.me as object });
          // A fence that was forged may hide what the caller has; it shows nothing besides.
          expect({ name, setting, value, more: seen.ids.filter((id) => !honest.ids.includes(id)) })
            .toMatchObject({
              more: [],
            });
          answered++;
        }
      }
    }
    expect(answered).toBeGreaterThan(callers.length * settings.length);
  });

  test("opens no table to a role of the Data API", async () => {
    for (const role of ["anon", "authenticated", "service_role"] as const) {
      const connection = await database.sql(role).reserve();
      for (const setting of settings) {
        const value = setting === "mailpipe.worker" ? "on" : acme.organization_id;
        await connection`select set_config(${setting}, ${value}, false)`;
      }
      for (const table of ["messages", "api_keys", "providers", "audit", "members", "data_keys"]) {
        await expect(connection.unsafe(`select * from mailpipe.${table}`), `${role} ${table}`).rejects
          .toMatchObject(denied);
      }
      await connection.unsafe("reset all");
      connection.release();
    }
  });

  test("as a worker's opens no worker's function to a key or a session", async () => {
    const claim = { p_limit: 1, p_message_id: null };
    for (const p_caller of [acme.live, acme.session, { ...acme.live, worker_hash: hashOf("x") }]) {
      await expect(service.begin(async (transaction) => {
        await transaction`select set_config('mailpipe.worker', 'on', true)`;
        await rpc(transaction, "claim_messages", { p_caller, ...claim });
      })).rejects.toMatchObject({ code: "PT401", message: "invalid_credential" });
    }
  });
});

describe("A8: a caller that names what it may not", () => {
  test.each<[string, () => Caller, object]>([
    [
      "an organization it is no member of",
      () => ({ ...acme.session, organization_id: zeta.organization_id }),
      {
        code: "PT404",
      },
    ],
    ["an organization beside a key", () => ({ ...acme.live, organization_id: zeta.organization_id }), {
      organization_id: "acme",
    }],
    ["an environment beside a key", () => ({ ...acme.live, environment: "test" }), { environment: "live" }],
    ["somebody else's session", () => ({ ...acme.session, session_id: String(zeta.session["session_id"]) }), {
      code: "PT401",
    }],
    ["a key and a session at once", () => ({ ...zeta.session, ...acme.live }), { organization_id: "acme" }],
  ])("%s is refused, or has it ignored", async (_, caller, expected) => {
    const wanted = {
      ...expected,
      ...("organization_id" in expected ? { organization_id: acme.organization_id } : {}),
    };
    const answer = await rpc(service, "whoami", { p_caller: caller() }).catch((error: object) => error);
    expect(answer).toMatchObject(wanted);
  });

  test("an environment there is not reaches no row", async () => {
    for (const environment of ["prod", "", "LIVE", "live test", "%"]) {
      const p_caller = { ...acme.session, environment };
      const listed = await rpc<{ data: unknown[] }>(service, "list_messages", { p_caller, p_request: page });
      expect({ environment, data: listed.data }).toEqual({ environment, data: [] });
    }
  });
});

describe("A8: out of its own role", () => {
  const roles: TestRole[] = ["anon", "authenticated", "service_role", "authenticator"];

  test.each(roles)("%s gets nowhere", async (role) => {
    const connection = await database.sql(role).reserve();
    const who = async () => (await connection`select current_user::text as me`)[0]?.["me"];
    for (
      const other of [
        "postgres",
        "supabase_admin",
        "mailpipe_tenant",
        "mailpipe_worker",
        "supabase_auth_admin",
      ]
    ) {
      await expect(connection.unsafe(`set role ${other}`), other).rejects.toMatchObject(denied);
      await expect(connection.unsafe(`set session authorization ${other}`), other).rejects.toMatchObject(
        denied,
      );
      await expect(connection.unsafe(`grant ${other} to current_user`), other).rejects.toMatchObject(denied);
    }
    for (
      const back of ["reset role", "reset session authorization", "set role none", "reset all", "discard all"]
    ) {
      await connection.unsafe(back);
      expect(["authenticator", role], back).toContain(await who());
      await expect(connection.unsafe("select * from mailpipe.messages"), back).rejects.toMatchObject(denied);
    }
    connection.release();
  });

  test.each([
    "set local role postgres;",
    "reset role;",
    "set local session authorization postgres;",
    "perform set_config('role', 'mailpipe_worker', true);",
    "perform set_config('role', 'postgres', true);",
    "perform set_config('session_authorization', 'postgres', true);",
    "perform set_config('session_replication_role', 'replica', true);",
  ])("a function of ours cannot: %s", async (statement) => {
    const careless = await rewrite(
      database,
      `perform mailpipe.authenticate(p_caller, 'caller'); ${statement} return to_jsonb(current_user::text);`,
    );
    await expect(careless(acme.live)).rejects.toMatchObject(denied);
  });

  test("with row security off a function of ours is refused what it would see unfenced", async () => {
    const careless = await rewrite(
      database,
      `perform mailpipe.authenticate(p_caller, 'caller');
      perform set_config('row_security', 'off', true);
      return to_jsonb((select count(*) from mailpipe.messages));`,
    );
    await expect(careless(acme.live)).rejects.toMatchObject(denied);
  });
});

describe("A1: a member, where the customer granted more than the opt-in does,", () => {
  beforeAll(() =>
    owner.unsafe(`
      grant usage on schema mailpipe to authenticated;
      grant all on all tables in schema mailpipe to authenticated;
    `)
  );
  // Everything is as before for whoever comes after.
  afterAll(() =>
    owner.unsafe(`
      revoke all on all tables in schema mailpipe from authenticated;
      revoke usage on schema mailpipe from authenticated;
    `)
  );

  const as = <Seen>(user: string, work: (sql: Parameters<Parameters<Sql["begin"]>[1]>[0]) => Promise<Seen>) =>
    database.sql("authenticated").begin(async (transaction) => {
      await transaction`select set_config('request.jwt.claims', ${
        JSON.stringify({ sub: user, role: "authenticated" })
      }, true)`;
      for (const setting of settings) {
        await transaction`select set_config(${setting}, ${
          setting.endsWith("environment") ? "live" : zeta.organization_id
        }, true)`;
      }
      return await work(transaction);
    });

  test("reads no row of another organization, and none that policies do not name", async () => {
    const tables = await owner<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'mailpipe'::regnamespace and relkind = 'r'
    `;
    const member = await signIn(database, "member@acme.example");
    await owner`insert into mailpipe.members (organization_id, user_id, role)
      values (${acme.organization_id}, ${member.user_id}, 'member')`;
    const foreign = await as(member.user_id, async (transaction) => {
      const found: string[] = [];
      for (const { name } of tables) {
        const rows = await transaction.unsafe(
          `select from mailpipe.${name} as row where to_jsonb(row)::text like '%${zeta.organization_id}%'`,
        );
        if (rows.length > 0) found.push(name);
      }
      return found;
    });
    expect(foreign).toEqual([]);
    const secrets = await as(member.user_id, async (transaction) =>
      await transaction`
        select (select count(*)::int from mailpipe.api_keys) as keys,
          (select count(*)::int from mailpipe.providers) as providers,
          (select count(*)::int from mailpipe.audit) as audit,
          (select count(*)::int from mailpipe.data_keys) as data_keys
      `);
    expect(secrets).toEqual([{ keys: 0, providers: 0, audit: 0, data_keys: 0 }]);
  });

  test("writes nothing: not to another organization, not to her own", async () => {
    for (const statement of ["insert into mailpipe.members values ($1, $2, 'owner')"]) {
      for (const organization of [zeta.organization_id, acme.organization_id]) {
        await expect(
          as(zeta.user_id, (transaction) => transaction.unsafe(statement, [organization, acme.user_id])),
        ).rejects.toMatchObject(denied);
      }
    }
    for (
      const statement of [
        "update mailpipe.members set role = 'owner' returning user_id",
        "update mailpipe.organizations set name = 'mine' returning id",
        "update mailpipe.messages set subject = 'mine' returning id",
        "update mailpipe.api_keys set revoked_at = null returning id",
        "delete from mailpipe.messages returning id",
        "delete from mailpipe.members returning user_id",
      ]
    ) {
      expect(await as(acme.user_id, (transaction) => transaction.unsafe(statement)), statement).toEqual([]);
    }
  });
});

describe("A37: the next request on a pooled connection sees a clean state", () => {
  test.each<[string, (connection: Sql) => Promise<unknown>]>([
    ["after an error in the middle", (connection) => connection`select 1 / 0`],
    [
      "after a refusal of ours",
      (connection) => rpc(connection, "get_message", { p_caller: zeta.live, p_id: "x" }),
    ],
    ["after a statement that ran out of time", async (connection) => {
      await connection`set local statement_timeout = '20ms'`;
      await connection`select pg_sleep(5)`;
    }],
    ["after a statement somebody cancelled", async (connection) => {
      const [own] = await connection<{ pid: number }[]>`select pg_backend_pid() as pid`;
      const asleep = connection`select pg_sleep(5)`.execute();
      const cancelling = setInterval(
        () => void owner`select pg_cancel_backend(${own?.pid ?? 0})`.execute(),
        20,
      );
      try {
        await asleep;
      } finally {
        clearInterval(cancelling);
      }
    }],
  ])("%s", async (_, breaks) => {
    const connection = await service.reserve() as unknown as Sql & { release(): void };
    await connection`begin`;
    await rpc(connection, "list_messages", { p_caller: acme.live, p_request: page });
    expect(await connection.unsafe(pinned)).toEqual([{ tenant: acme.organization_id }]);
    await expect(breaks(connection)).rejects.toThrow();
    await connection`rollback`;
    // A cancel sent too late would hit the next statement.
    await connection.unsafe("select pg_sleep(0.05)").catch(() => undefined);
    expect(await connection.unsafe(pinned)).toEqual([{ tenant: "none" }]);
    expect(await reads(connection, zeta.live)).toEqual(await reads(service, zeta.live));
    connection.release();
  });

  test("though each call is a statement prepared once, planned for everybody, and tenants take turns", async () => {
    const connection = await database.sql("mailpipe_tenant").reserve();
    await connection.unsafe(
      "prepare everything as select distinct organization_id, environment from mailpipe.messages",
    );
    await connection.unsafe("set plan_cache_mode = force_generic_plan");
    for (let turn = 0; turn < 8; turn++) {
      for (const { organization_id, live, test: other } of [acme, zeta]) {
        for (const [environment, caller] of [["live", live], ["test", other]] as const) {
          await connection`begin`;
          await connection`select mailpipe.authenticate(${connection.json(caller)}, 'caller')`;
          expect(await connection.unsafe("execute everything")).toEqual([{ organization_id, environment }]);
          await connection`commit`;
        }
      }
    }
    await connection.unsafe("reset plan_cache_mode");
    await connection.unsafe("deallocate everything");
    connection.release();
  });

  test("and no call leaves a lock, a temporary table or a listener behind", async () => {
    const connection = await service.reserve();
    await reads(connection, acme.live);
    await rpc(connection, "whoami", { p_caller: fenced });
    const left = await connection`
      select
        (select count(*)::int from pg_locks where pid = pg_backend_pid() and locktype = 'advisory') as locks,
        (select count(*)::int from pg_class where relpersistence = 't' and pg_table_is_visible(oid)) as tables,
        (select count(*)::int from pg_listening_channels()) as listeners
    `;
    expect(left).toEqual([{ locks: 0, tables: 0, listeners: 0 }]);
    connection.release();
  });
});

describe("A38: as the Data API's roles", () => {
  test("no statement runs for longer than eight seconds, service_role's neither", async () => {
    for (const [role, most] of [["anon", 8], ["authenticated", 8], ["service_role", 8]] as const) {
      const [row] = await database.sql(role)<{ seconds: number }[]>`
        select extract(epoch from current_setting('statement_timeout')::interval)::int as seconds
      `;
      expect(row?.seconds, role).toBeGreaterThan(0);
      expect(row?.seconds, role).toBeLessThanOrEqual(most);
    }
  });

  test.each([
    ["providers", "credentials"],
    ["providers", "inbound_secret"],
    ["data_keys", "wrapped"],
  ])("no secret that takes long to open can be stored as %s.%s", async (table, column) => {
    for (const options of ["s2k-mode=3, s2k-count=65011712", "s2k-mode=3", "s2k-mode=0"]) {
      const bomb = `extensions.pgp_sym_encrypt('x', 'y', 'cipher-algo=aes256, compress-algo=0, ${options}')`;
      await expect(owner.unsafe(`update mailpipe.${table} set ${column} = ${bomb}`), options).rejects
        .toMatchObject({
          code: "23514",
          constraint_name: expect.stringMatching(/_aes256$/),
        });
    }
  });

  test("a call that does not end is ended, and leaves neither change nor tenant", async () => {
    await rewrite(
      database,
      `perform mailpipe.authenticate(p_caller, 'caller');
      update mailpipe.mailboxes set display_name = 'never';
      loop perform 1; end loop;`,
    );
    const connection = await service.reserve();
    await connection`begin`;
    await connection`set local statement_timeout = '100ms'`;
    await expect(rpc(connection, "get_message", { p_caller: acme.live, p_id: null })).rejects.toMatchObject({
      code: "57014",
    });
    await connection`rollback`;
    expect(await connection.unsafe(pinned)).toEqual([{ tenant: "none" }]);
    connection.release();
    expect(await owner`select id from mailpipe.mailboxes where display_name = 'never'`).toEqual([]);
  });
});
