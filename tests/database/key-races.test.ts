import { createHash, randomUUID } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, mail, rpc, type Tenant } from "./tenant.ts";

let database: TestDatabase;
let acme: Tenant;
/** Thirty connections, each open before anything is raced. */
let service: postgres.Sql;

beforeAll(async () => {
  database = await cloneDatabase();
  acme = await foundTenant(database, "Acme");
  const connection = { role: "service_role" } as Record<string, string>;
  service = postgres(database.urlOf("authenticator"), { max: 30, onnotice: () => {}, connection });
  await Promise.all(Array.from({ length: 60 }, () => service`select pg_sleep(0.005)`));
});
afterAll(async () => {
  await service.end();
  await database.close();
});

/** Issues a key; its caller object and id. */
async function issue(by: object, more: object = {}): Promise<{ id: string; caller: { key_hash: string } }> {
  const key_hash = createHash("sha256").update(randomUUID()).digest("hex");
  const { id } = await rpc(service, "issue_key", {
    p_caller: by,
    p_hash: key_hash,
    p_last_four: "last",
    p_request: { name: "k", environment: "live", scopes: ["mail:send", "keys:write"], ...more },
  });
  return { id: String(id), caller: { key_hash } };
}

const who = (p_caller: object) => rpc(service, "whoami", { p_caller });
const revoke = (id: string) => rpc(service, "revoke_key", { p_caller: acme.session, p_request: { id } });
const accepted = (settled: PromiseSettledResult<unknown>[]) =>
  settled.filter(({ status }) => status === "fulfilled").length;
const codes = (settled: PromiseSettledResult<unknown>[]) => [
  ...new Set(
    settled.flatMap((each) => each.status === "rejected" ? [(each.reason as { code: string }).code] : []),
  ),
];

describe("promise 5: a request that starts after a revocation returned is refused", () => {
  test("of a hundred in parallel on warm connections none is accepted", async () => {
    const { id, caller } = await issue(acme.session);
    expect(accepted(await Promise.allSettled(Array.from({ length: 100 }, () => who(caller))))).toBe(100);
    await revoke(id);
    const send = () =>
      rpc(service, "send_mail", { p_caller: caller, p_idempotency_key: null, p_request: mail("x") });
    const settled = await Promise.allSettled(
      Array.from({ length: 100 }, (_, turn) => turn % 2 ? send() : who(caller)),
    );
    expect(accepted(settled)).toBe(0);
    expect(codes(settled)).toEqual(["PT401"]);
  });

  test("with calls under way while it is revoked, in twenty rounds", async () => {
    for (let round = 0; round < 20; round++) {
      const { id, caller } = await issue(acme.session);
      const late: Promise<PromiseSettledResult<unknown>[]>[] = [];
      const before = Promise.allSettled(Array.from({ length: 25 }, () => who(caller)));
      const revoked = revoke(id).then(() => {
        late.push(Promise.allSettled(Array.from({ length: 25 }, () => who(caller))));
      });
      await Promise.all([before, revoked]);
      expect(accepted((await Promise.all(late)).flat())).toBe(0);
    }
  });
});

describe("a key issued while its issuer is revoked", () => {
  test("falls with it or is refused, in fifty rounds", async () => {
    for (let round = 0; round < 50; round++) {
      const issuer = await issue(acme.session);
      await Promise.allSettled([
        ...Array.from({ length: 4 }, () => issue(issuer.caller, { scopes: ["mail:send"] })),
        revoke(issuer.id),
        ...Array.from({ length: 4 }, () => issue(issuer.caller, { scopes: ["mail:send"] })),
      ]);
      const alive = await database.sql("postgres")`
        select id from mailpipe.api_keys where issued_by_key = ${issuer.id} and revoked_at is null
      `;
      expect({ round, alive: alive.length }).toEqual({ round, alive: 0 });
    }
  });

  test("falls with it also where it rotates itself meanwhile, and nobody waits for ever", async () => {
    for (let round = 0; round < 25; round++) {
      const issuer = await issue(acme.session);
      const children: { id: string; caller: object }[] = [];
      for (let count = 0; count < 8; count++) children.push(await issue(issuer.caller));
      const settled = await Promise.allSettled([
        ...children.map(({ id, caller }) =>
          rpc(service, "rotate_key", {
            p_caller: caller,
            p_hash: createHash("sha256").update(randomUUID()).digest("hex"),
            p_last_four: "last",
            p_request: { id, overlap_seconds: 3600 },
          })
        ),
        revoke(issuer.id),
      ]);
      expect(codes(settled).filter((code) => !/^PT4/.test(code))).toEqual([]);
      const alive = await database.sql("postgres")`
        select id from mailpipe.api_keys where issued_by_key = ${issuer.id} and revoked_at is null
      `;
      expect({ round, alive: alive.length }).toEqual({ round, alive: 0 });
    }
  });

  test("waits for a revocation that came first, and is refused", async () => {
    const issuer = await issue(acme.session);
    const owner = await database.sql("postgres").reserve();
    await owner`begin`;
    await owner`update mailpipe.api_keys set revoked_at = mailpipe.clock() where id = ${issuer.id}`;
    const child = issue(issuer.caller, { scopes: ["mail:send"] });
    const refused = expect(child).rejects.toMatchObject({ code: "PT401" });
    await database.sql("postgres")`
      select pg_sleep(0.01)
      from generate_series(1, 200)
      where not exists (select from pg_stat_activity where wait_event_type = 'Lock')
    `;
    await owner`commit`;
    owner.release();
    await refused;
  });
});

describe("limits hold among calls at the same time", () => {
  test("sixty calls on ten a minute are exactly ten", async () => {
    const { caller } = await issue(acme.session, { limits: { per_minute: 10 } });
    const settled = await Promise.allSettled(Array.from({ length: 60 }, () => who(caller)));
    expect([accepted(settled), codes(settled)]).toEqual([10, ["PT429"]]);
  });

  test("and so are sixty over three children of a key with ten a minute", async () => {
    const parent = await issue(acme.session, { limits: { per_minute: 14 } });
    const children: { caller: object }[] = [];
    for (let count = 0; count < 3; count++) {
      children.push(await issue(parent.caller, { scopes: ["mail:send"], limits: { per_minute: 8 } }));
    }
    // Issuing took three of the fourteen.
    const settled = await Promise.allSettled(
      Array.from({ length: 60 }, (_, turn) => who(children[turn % 3]?.caller ?? {})),
    );
    expect([accepted(settled), codes(settled)]).toEqual([11, ["PT429"]]);
  });

  test("an organization's ten a second are exactly ten messages", async () => {
    const owner = database.sql("postgres");
    await owner`select mailpipe.set_tier(${acme.organization_id}, 'free')`;
    await database.setClock("2030-01-01T00:00:00Z");
    const { caller } = await issue(acme.session);
    const send = () =>
      rpc(service, "send_mail", { p_caller: caller, p_idempotency_key: null, p_request: mail("x") });
    const settled = await Promise.allSettled(Array.from({ length: 150 }, send));
    expect([accepted(settled), codes(settled)]).toEqual([10, ["PT429"]]);
    const [row] = await owner`select count(*)::int as stored from mailpipe.messages where subject = 'x'`;
    expect(row).toEqual({ stored: 10 });
    for (let second = 0; second < 12; second++) {
      await database.advanceClock("1 second");
      await Promise.allSettled(Array.from({ length: 10 }, send));
    }
    const [hour] = await owner`select count(*)::int as stored from mailpipe.messages where subject = 'x'`;
    expect(hour).toEqual({ stored: 100 });
    await expect(owner`select mailpipe.set_tier(${acme.organization_id}, 'gold')`).rejects.toThrow(
      "no tier gold",
    );
  });
});

describe("counters", () => {
  const used = async (id: string) => {
    const [row] = await database.sql("postgres")`
      select coalesce(sum(used), 0)::int as used from (
        select used from mailpipe.key_uses where key_id = ${id}
        union all select used from mailpipe.key_usage where key_id = ${id}
      ) as both_places
    `;
    return row?.["used"];
  };

  test("lose nothing to flushes at the same time", async () => {
    const { id, caller } = await issue(acme.session);
    const flush = () => database.sql("postgres")`select mailpipe.flush_usage()`;
    const calls = Array.from({ length: 300 }, () => who(caller));
    await Promise.all([...calls, ...Array.from({ length: 20 }, flush)]);
    expect(await used(id)).toBe(300);
    await flush();
    expect(await used(id)).toBe(300);
  });

  test("come back after a crash as they were a minute ago", async () => {
    const owner = database.sql("postgres");
    const { id, caller } = await issue(acme.session, { limits: { per_day: 10 } });
    for (let call = 0; call < 6; call++) await who(caller);
    await owner`select mailpipe.flush_usage(), mailpipe.keep_windows()`;
    // What a crash does to unlogged tables.
    await owner`truncate mailpipe.rate_windows, mailpipe.key_uses`;
    await who(caller);
    await owner`select mailpipe.keep_windows()`;
    expect(await used(id)).toBe(7);
    const settled = await Promise.allSettled(Array.from({ length: 10 }, () => who(caller)));
    expect([accepted(settled), codes(settled)]).toEqual([3, ["PT429"]]);
  });
});
