import { createHash, randomUUID } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, mail, rpc, type Tenant, worker } from "./tenant.ts";

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
const revoke = (id: string, more: object = {}, by: object = acme.session) =>
  rpc(service, "revoke_key", { p_caller: by, p_request: { id, ...more } });
const revokeBy = (filter: object) =>
  rpc(service, "revoke_keys", {
    p_caller: acme.session,
    p_request: { filter, descendants: true, cancel_queued: false, dry_run: false, include_self: false },
  });
const send = (p_caller: object, subject = "x") =>
  rpc(service, "send_mail", { p_caller, p_idempotency_key: null, p_request: mail(subject) });
const times = <Made>(count: number, make: (turn: number) => Made) =>
  Array.from({ length: count }, (_, turn) => make(turn));

/** Rotates a key; the successor's caller object and id. */
async function rotate(id: string, by: object, overlap_seconds: number) {
  const key_hash = createHash("sha256").update(randomUUID()).digest("hex");
  const made = await rpc(service, "rotate_key", {
    p_caller: by,
    p_hash: key_hash,
    p_last_four: "last",
    p_request: { id, overlap_seconds },
  });
  return { id: String(made["id"]), caller: { key_hash } };
}

/** Until some call waits for another's lock, 2 s at most. */
const lockWait = () =>
  database.sql("postgres")`
    select pg_sleep(0.01)
    from generate_series(1, 200)
    where not exists (
        select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
    )
  `;

/** Keys that live although the key that issued or obtained them fell. */
const orphans = () =>
  database.sql("postgres")`
    select child.id, child.issued_by_key, child.rotated_by_key
    from mailpipe.api_keys as child
    join mailpipe.api_keys as above
        on above.id = child.issued_by_key
        or above.id = child.rotated_by_key and child.rotated_by_key <> child.replaces
    where above.revoked_at is not null and child.revoked_at is null
  `;
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
    const settled = await Promise.allSettled(
      Array.from({ length: 100 }, (_, turn) => turn % 2 ? send(caller) : who(caller)),
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

describe("promise 5 holds as well", () => {
  test("for every key below the one that was revoked", async () => {
    const top = await issue(acme.session);
    const child = await issue(top.caller);
    const grandchild = await issue(child.caller);
    const keys = [child, grandchild];
    const calls = () => Promise.allSettled(times(100, (turn) => who(keys[turn % 2]?.caller ?? {})));
    expect(accepted(await calls())).toBe(100);
    await revoke(top.id);
    expect(accepted(await calls())).toBe(0);
  });

  test("for a revocation by filter with calls under way, in ten rounds", async () => {
    for (let round = 0; round < 10; round++) {
      const top = await issue(acme.session);
      const keys = await Promise.all(times(4, () => issue(top.caller)));
      const calls = () => Promise.allSettled(times(24, (turn) => who(keys[turn % 4]?.caller ?? {})));
      const before = calls();
      const after = revokeBy({ created_by: top.id }).then(calls);
      await before;
      expect({ round, accepted: accepted(await after) }).toEqual({ round, accepted: 0 });
    }
  });

  test("for a rotation that left no overlap, in twenty rounds", async () => {
    for (let round = 0; round < 20; round++) {
      const old = await issue(acme.session);
      const before = Promise.allSettled(times(12, () => who(old.caller)));
      const rotated = rotate(old.id, acme.session, 0).then(async (successor) => [
        accepted(await Promise.allSettled(times(12, () => who(old.caller)))),
        accepted(await Promise.allSettled(times(12, () => who(successor.caller)))),
      ]);
      await before;
      expect(await rotated).toEqual([0, 12]);
    }
  });

  test("and of ten revocations at once one is told of", async () => {
    const { id } = await issue(acme.session);
    const settled = await Promise.allSettled(times(10, () => revoke(id)));
    expect(accepted(settled)).toBe(10);
    const told = await database.sql("postgres")`
      select id from mailpipe.audit where action = 'key.revoked' and subject_id = ${id}
    `;
    expect(told).toHaveLength(1);
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
        ...children.map(({ id, caller }) => rotate(id, caller, 3600)),
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
    await lockWait();
    await owner`commit`;
    owner.release();
    await refused;
  });
});

describe("of a revocation and what makes keys at the same time", () => {
  test("no grandchild outlives it, by id or by filter, in fifty rounds", async () => {
    for (let round = 0; round < 50; round++) {
      const top = await issue(acme.session);
      const child = await issue(top.caller);
      const scopes = { scopes: ["mail:send"] };
      await Promise.allSettled([
        ...times(3, () => issue(child.caller, scopes)),
        round % 2 ? revoke(top.id) : revokeBy({ created_by: top.id }),
        ...times(3, () => issue(child.caller, scopes)),
      ]);
    }
    expect(await orphans()).toEqual([]);
  });

  test("no key outlives the rotator that obtained it, in fifty rounds", async () => {
    for (let round = 0; round < 50; round++) {
      const rotator = await issue(acme.session);
      const targets = await Promise.all(times(4, () => issue(acme.session)));
      const settled = await Promise.allSettled([
        ...targets.map(({ id }) => rotate(id, rotator.caller, 3600)),
        revoke(rotator.id),
      ]);
      expect(codes(settled).filter((code) => code !== "PT401")).toEqual([]);
    }
    expect(await orphans()).toEqual([]);
  });

  test("no successor of a child outlives it, whoever rotates, in fifty rounds", async () => {
    for (let round = 0; round < 50; round++) {
      const issuer = await issue(acme.session);
      const children = await Promise.all(times(4, () => issue(issuer.caller)));
      const settled = await Promise.allSettled([
        ...children.map(({ id }) => rotate(id, acme.session, 3600)),
        revoke(issuer.id),
      ]);
      expect(codes(settled).filter((code) => code !== "PT409")).toEqual([]);
    }
    expect(await orphans()).toEqual([]);
  });
});

describe("of a rotation and what makes keys at the same time", () => {
  test("two keys that rotate each other take turns, without a deadlock, in twenty rounds", async () => {
    for (let round = 0; round < 20; round++) {
      const [one, two] = [await issue(acme.session), await issue(acme.session)];
      const settled = await Promise.allSettled([
        rotate(two.id, one.caller, 3600),
        rotate(one.id, two.caller, 3600),
      ]);
      expect([round, accepted(settled), codes(settled)]).toEqual([round, 2, []]);
    }
  });

  test("ten rotations of one key have one winner", async () => {
    const { id } = await issue(acme.session);
    const settled = await Promise.allSettled(times(10, () => rotate(id, acme.session, 0)));
    expect([accepted(settled), codes(settled)]).toEqual([1, ["PT409"]]);
  });

  test("no key below outlives the old one, in fifty rounds", async () => {
    for (let round = 0; round < 50; round++) {
      const old = await issue(acme.session);
      const child = await issue(old.caller);
      const scopes = { scopes: ["mail:send"] };
      await Promise.allSettled([
        ...times(2, (turn) => issue(turn ? child.caller : old.caller, scopes)),
        rotate(old.id, acme.session, 3600),
        rotate(child.id, acme.session, 7200),
        ...times(2, (turn) => issue(turn ? child.caller : old.caller, scopes)),
      ]);
    }
    const outliving = await database.sql("postgres")`
      select child.id
      from mailpipe.api_keys as child
      join mailpipe.api_keys as above on above.id = child.issued_by_key
      where above.expires_at < coalesce(child.expires_at, 'infinity')
    `;
    expect(outliving).toEqual([]);
  });
});

describe("the last way in", () => {
  test("is not closed by two keys that revoke each other at once", async () => {
    const lonely = await foundTenant(database, "Lonely");
    const other = await issue(lonely.session);
    await database.sql("supabase_admin")`
      update auth.users set banned_until = 'infinity' where id = ${lonely.user_id}
    `;
    const first = await service.reserve();
    await first`begin`;
    await rpc(first, "revoke_key", { p_caller: lonely.live, p_request: { id: other.id } });
    const second = revoke(lonely.key_id, {}, other.caller).then(
      () => "accepted",
      ({ code }: { code: string }) => code,
    );
    await Promise.race([second, lockWait()]);
    await first`commit`;
    first.release();
    expect(await second).toMatch(/^PT4/);
    const settled = await Promise.allSettled([who(lonely.live), who(other.caller)]);
    expect(accepted(settled)).toBe(1);
  });
});

describe("cancel_queued and workers at the same time", () => {
  const claim = async () => {
    const work = await rpc<{ message: { id: string } }[]>(service, "claim_messages", {
      p_caller: worker,
      p_limit: 4,
      p_message_id: null,
    });
    return work.map(({ message }) => message.id);
  };

  test("leave each message cancelled or with one worker, in ten rounds", async () => {
    for (let round = 0; round < 10; round++) {
      const { id, caller } = await issue(acme.session);
      await Promise.all(times(16, () => send(caller)));
      const [claims] = await Promise.all([
        Promise.all(times(3, claim)),
        revoke(id, { cancel_queued: true }),
        Promise.allSettled(times(4, () => send(caller))),
      ]);
      const held = claims.flat();
      for (let more = await claim(); more.length > 0; more = await claim()) held.push(...more);
      const messages = await database.sql("postgres")<{ id: string; status: string }[]>`
        select id, status from mailpipe.messages where api_key_id = ${id}
      `;
      expect(new Set(held).size).toBe(held.length);
      expect(messages.length).toBeGreaterThanOrEqual(16);
      for (const message of messages) {
        expect(message.status).toBe(held.includes(message.id) ? "sending" : "cancelled");
      }
    }
  });

  test("let no message out that was under way when its key fell", async () => {
    const { id, caller } = await issue(acme.session);
    const sender = await service.reserve();
    await sender`begin`;
    await rpc(sender, "send_mail", { p_caller: caller, p_idempotency_key: null, p_request: mail("late") });
    await revoke(id, { cancel_queued: true });
    await sender`commit`;
    sender.release();
    const held: string[] = [];
    for (let more = await claim(); more.length > 0; more = await claim()) held.push(...more);
    const [late] = await database.sql("postgres")<{ id: string; status: string }[]>`
      select id, status from mailpipe.messages where subject = 'late'
    `;
    expect(late?.status).toBe("cancelled");
    expect(held).not.toContain(late?.id);
  });
});

describe("limits hold among calls at the same time", () => {
  test("sixty calls on ten a minute are exactly ten", async () => {
    const { caller } = await issue(acme.session, { limits: { per_minute: 10 } });
    const settled = await Promise.allSettled(Array.from({ length: 60 }, () => who(caller)));
    expect([accepted(settled), codes(settled)]).toEqual([10, ["PT429"]]);
  });

  test("and so are sixty over a key, its successor and that one's", async () => {
    const old = await issue(acme.session, { limits: { per_minute: 12 } });
    const next = await rotate(old.id, old.caller, 3600);
    const last = await rotate(next.id, next.caller, 3600);
    // Rotating took two of the twelve.
    const keys = [old, next, last];
    const settled = await Promise.allSettled(times(60, (turn) => who(keys[turn % 3]?.caller ?? {})));
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
    const settled = await Promise.allSettled(times(150, () => send(caller, "limited")));
    expect([accepted(settled), codes(settled)]).toEqual([10, ["PT429"]]);
    const [row] =
      await owner`select count(*)::int as stored from mailpipe.messages where subject = 'limited'`;
    expect(row).toEqual({ stored: 10 });
    for (let second = 0; second < 12; second++) {
      await database.advanceClock("1 second");
      await Promise.allSettled(times(10, () => send(caller, "limited")));
    }
    const [hour] =
      await owner`select count(*)::int as stored from mailpipe.messages where subject = 'limited'`;
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
