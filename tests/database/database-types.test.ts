import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedTypes } from "../../supabase/local/database-types.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await cloneDatabase();
});
afterAll(() => database.close());

const committed = () => readFileSync(new URL("../../shared/database-types.ts", import.meta.url), "utf8");

test("shared/database-types.ts is what the migrations make; run supabase/local/database-types.ts after a change", async () => {
  expect(committed()).toBe(await generatedTypes(database.url));
});

test("a new parameter of an API function shows", async () => {
  await database.sql("postgres").unsafe(`
    create function mailpipe_api.fresh(p_caller jsonb, p_new int) returns jsonb language sql as 'select p_caller'
  `);
  expect(await generatedTypes(database.url)).not.toBe(committed());
});
