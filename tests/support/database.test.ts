import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase, type TestRole } from "./database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await cloneDatabase();
});
afterAll(() => database.close());

const ROLES: TestRole[] = [
  "supabase_admin",
  "postgres",
  "authenticator",
  "anon",
  "authenticated",
  "service_role",
  "mailpipe_tenant",
  "mailpipe_worker",
];

async function reading(): Promise<string> {
  const [row] = await database.sql("postgres")<{ now: Date }[]>`select mailpipe.clock() as now`;
  return row?.now.toISOString() ?? "";
}

describe("a test's database", () => {
  test.each(ROLES)("acts as %s on every connection, also after `reset role`", async (role) => {
    const sql = database.sql(role);
    const names = await Promise.all([1, 2, 3].map(async () => {
      const [row] = await sql<{ name: string }[]>`select current_user::text as name`;
      return row?.name;
    }));
    expect(new Set(names)).toEqual(new Set([role]));
    await sql.begin(async (transaction) => {
      await transaction`reset role`;
      expect(await transaction`select current_user::text as name`).toEqual([{ name: role }]);
    });
  });

  test("is the test's own and gone once closed", async () => {
    const other = await cloneDatabase();
    await other.sql("postgres")`create table public.only_there (id int)`;
    await expect(database.sql("postgres")`select * from public.only_there`).rejects.toMatchObject({
      code: "42P01",
    });
    await other.close();
    expect(await database.sql("postgres")`select from pg_database where datname = ${other.name}`)
      .toHaveLength(0);
  });

  test("answers the time it was told, moves it, and keeps the clock's owner and grants", async () => {
    const facts = () =>
      database.sql("postgres")`
        select proowner::regrole::text, proacl::text, prorettype::regtype::text, provolatile
        from pg_proc where oid = 'mailpipe.clock()'::regprocedure
      `;
    const before = await facts();
    await database.setClock("2026-01-02T03:04:05.678Z");
    expect(await reading()).toBe("2026-01-02T03:04:05.678Z");
    await database.advanceClock("90 minutes");
    expect(await reading()).toBe("2026-01-02T04:34:05.678Z");
    await database.setClock("2027-01-01T00:00:00Z");
    expect(await reading()).toBe("2027-01-01T00:00:00.000Z");
    expect(await facts()).toEqual(before);
  });
});
