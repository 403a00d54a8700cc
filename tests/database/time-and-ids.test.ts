import { Buffer } from "node:buffer";
import type { Sql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";
import { foundTenant, rpc, send, type Tenant } from "./tenant.ts";

let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await cloneDatabase();
  sql = database.sql("postgres");
});
afterAll(() => database.close());

async function one(expression: string): Promise<string> {
  const [row] = await sql.unsafe<{ value: string }[]>(`select (${expression})::text as value`);
  return row?.value ?? "";
}

test("the clock is the transaction's, in whole milliseconds", async () => {
  expect(await one("mailpipe.clock() = date_trunc('milliseconds', now())")).toBe("true");
});

describe("an id", () => {
  beforeEach(() => database.setClock("2026-03-01T12:00:00.123Z"));

  test("is a prefix and 26 characters of Crockford's alphabet, which has no I, L, O and U", async () => {
    expect(await one("mailpipe.new_id('msg')")).toMatch(/^msg_[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  test("begins with its time: 48 bits of milliseconds, the same as any ULID library reads", async () => {
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const id = await one("mailpipe.new_id('msg')");
    const time = [...id.slice(4, 14)].reduce((sum, letter) => sum * 32 + alphabet.indexOf(letter), 0);
    expect(time).toBe(Date.parse("2026-03-01T12:00:00.123Z"));
  });

  test("sorts by time, also where a digit turns over", async () => {
    const ids: string[] = [];
    for (
      const time of [
        "2004-11-03T19:53:48.256Z",
        "2026-03-01T12:00:00.123Z",
        "2026-03-01T12:00:00.124Z",
        "2039-09-07T15:47:35.552Z",
      ]
    ) {
      await database.setClock(time);
      ids.push(await one("mailpipe.new_id('msg')"));
    }
    expect([...ids].sort()).toEqual(ids);
  });

  test("is not made twice in the same millisecond", async () => {
    const rows = await sql`select distinct mailpipe.new_id('msg') as id from generate_series(1, 5000)`;
    expect(rows).toHaveLength(5000);
  });
});

test("time is shown as RFC 3339 in UTC with milliseconds, whatever the session's zone", async () => {
  await sql.begin(async (transaction) => {
    await transaction`set local timezone to 'Asia/Kathmandu'`;
    expect(await transaction`select mailpipe.rfc3339('2026-03-29T01:59:59.9999+00') as shown`)
      .toEqual([{ shown: "2026-03-29T01:59:59.999Z" }]);
    expect(await transaction`select mailpipe.rfc3339(null) as shown`).toEqual([{ shown: null }]);
  });
});

describe("a cursor", () => {
  let acme: Tenant;
  let sent: string[];

  beforeAll(async () => {
    await database.setClock("2026-03-01T12:00:00Z");
    acme = await foundTenant(database, "Acme");
    sent = [];
    for (let each = 0; each < 7; each++) {
      sent.push(await send(database.sql("service_role"), acme.test, `mail ${each}`));
      // Two of the same millisecond each: the id decides between them.
      if (each % 2 === 1) await database.advanceClock("1 millisecond");
    }
  });

  const page = (cursor: string | null, limit = 2) =>
    rpc<{ data: { id: string }[]; has_more: boolean; next: string | null }>(
      database.sql("service_role"),
      "list_messages",
      { p_caller: acme.test, p_request: { limit, cursor } },
    );

  test.each([1, 2, 3, 6, 7, 100])(
    "goes through every row once, newest first, %i at a time",
    async (limit) => {
      const seen: string[] = [];
      let cursor: string | null = null;
      for (let pages = 0; pages < 10; pages++) {
        const answer = await page(cursor, limit);
        seen.push(...answer.data.map(({ id }) => id));
        expect(answer.has_more).toBe(answer.next !== null);
        cursor = answer.next;
        if (cursor === null) break;
      }
      const [order] = await sql<{ ids: string[] }[]>`
      select array_agg(id order by created_at desc, id desc) as ids from mailpipe.messages
    `;
      expect(seen).toEqual(order?.ids);
      expect([...seen].sort()).toEqual([...sent].sort());
    },
  );

  test("is not moved by rows that come later", async () => {
    const { next } = await page(null, 3);
    const before = await page(next, 3);
    await send(database.sql("service_role"), acme.test, "later");
    expect(await page(next, 3)).toEqual(before);
  });

  const hex = (text: string) => Buffer.from(text, "latin1").toString("hex");
  const id = "msg_00000000000000000000000000";

  test.each([
    ["empty", ""],
    ["not hexadecimal", "zz".repeat(40)],
    ["capital hexadecimal", hex(`2026-03-01T12:00:00.000Z|${id}`).toUpperCase()],
    ["half a byte", `${hex(`2026-03-01T12:00:00.000Z|${id}`)}0`],
    ["too short", hex("2026-03-01T12:00:00.000Z|")],
    ["too long", "20".repeat(81)],
    ["without milliseconds", hex(`2026-03-01T12:00:00Z|${id}`)],
    ["of a month that is not", hex(`2026-13-01T12:00:00.000Z|${id}`)],
    ["of a day that is not", hex(`2026-02-30T12:00:00.000Z|${id}`)],
    ["of a 25th hour", hex(`2026-02-20T25:00:00.000Z|${id}`)],
    ["with another id", hex("2026-03-01T12:00:00.000Z|msg_x' or true --aaaaaaaaaaaa")],
    ["with a NUL", hex(`2026-03-01T12:00:00.000Z|msg_0000000000000000000000000\0`)],
    ["with bytes above 127", hex(`2026-03-01T12:00:00.000Z|msg_0000000000000000000000000\xff`)],
    ["ending in a line feed", hex(`2026-03-01T12:00:00.000Z|${id}\n`)],
  ])("that is %s is refused by name", async (_, cursor) => {
    await expect(page(cursor)).rejects.toMatchObject({ code: "PT400", message: "invalid_cursor" });
  });
});
