import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generatedTypes } from "../../supabase/local/database-types.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await cloneDatabase();
});

afterAll(() => database?.close());

test("the types are those of the migrations", async () => {
  const kept = await readFile(new URL("../../shared/database-types.ts", import.meta.url), "utf8");
  expect(kept, "run node --import tsx supabase/local/database-types.ts").toBe(
    await generatedTypes(database.url),
  );
});
