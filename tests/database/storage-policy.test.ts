import { randomUUID } from "node:crypto";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

let database: TestDatabase;
let owner: Sql;

beforeAll(async () => {
  database = await cloneDatabase();
  owner = database.sql("postgres");
  await owner`insert into storage.buckets (id, name) values ('theirs', 'theirs')`;
  // What many apps have: everything of every bucket, for everyone.
  await owner.unsafe(`
    grant all on storage.objects to anon, authenticated;
    create policy "their loose policy" on storage.objects for all to public using (true) with check (true);
    insert into storage.objects (bucket_id, name) values ('mailpipe', 'org/live/ours'), ('theirs', 'cat.png');
  `);
});
afterAll(() => database.close());

test("our bucket is private", async () => {
  expect(await owner`select public from storage.buckets where id = 'mailpipe'`).toEqual([{ public: false }]);
});

describe.each(["anon", "authenticated"] as const)("under a host app's loosest policy %s", (role) => {
  const as = () => database.sql(role);

  test("reads, renames and removes nothing of ours", async () => {
    expect(await as()`select bucket_id from storage.objects`).toEqual([{ bucket_id: "theirs" }]);
    expect(await as()`update storage.objects set name = 'x' where bucket_id = 'mailpipe' returning id`)
      .toEqual([]);
    await as().begin(async (transaction) => {
      // The flag with which Storage itself removes rows.
      await transaction`set local storage.allow_delete_query = 'true'`;
      expect(await transaction`delete from storage.objects where bucket_id = 'mailpipe' returning id`)
        .toEqual([]);
    });
  });

  test("puts nothing into our bucket and moves nothing there", async () => {
    await expect(as()`insert into storage.objects (bucket_id, name) values ('mailpipe', ${randomUUID()})`)
      .rejects.toMatchObject({ code: "42501" });
    await expect(as()`update storage.objects set bucket_id = 'mailpipe' where bucket_id = 'theirs'`)
      .rejects.toMatchObject({ code: "42501" });
  });

  test("keeps what the app gave it", async () => {
    expect(
      await as()`insert into storage.objects (bucket_id, name) values ('theirs', ${role}) returning name`,
    )
      .toEqual([{ name: role }]);
    await owner.begin(async (transaction) => {
      await transaction`set local storage.allow_delete_query = 'true'`;
      await transaction`delete from storage.objects where name = ${role}`;
    });
  });
});

test("service_role reaches the bucket, since our functions do so as it", async () => {
  await owner`grant select on storage.objects to service_role`;
  expect(await database.sql("service_role")`select name from storage.objects where bucket_id = 'mailpipe'`)
    .toEqual([{ name: "org/live/ours" }]);
});
