import { randomUUID } from "node:crypto";
import { StorageClient } from "@supabase/storage-js";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyMigrations } from "../../supabase/local/migrate.ts";
import { type Api, signUp, startApi } from "../support/api.ts";
import { cloneDatabase } from "../support/database.ts";

let api: Api;
let owner: Sql;
let session: string;

const bytes = new TextEncoder().encode("From: ada@example.com");
const contentType = "application/octet-stream";

function storage(credential: string, apikey = credential): StorageClient {
  return new StorageClient(`${api.url}/storage/v1`, { apikey, authorization: `Bearer ${credential}` });
}

beforeAll(async () => {
  api = await startApi();
  owner = api.database.sql("postgres");
  await owner`insert into storage.buckets (id, name, public) values ('theirs', 'theirs', true)`;
  // What many apps have: everything of every bucket, for everyone.
  await owner.unsafe(`
    grant all on storage.objects, storage.buckets to anon, authenticated;
    create policy "their loose policy" on storage.objects for all to public using (true) with check (true);
    create policy "their loose policy" on storage.buckets for all to public using (true) with check (true);
  `);
  const server = storage(api.secretKey);
  await server.from("mailpipe").upload("org/live/ours", bytes, { contentType });
  await server.from("theirs").upload("cat.png", bytes, { contentType });
  session = (await signUp(api, "eve@example.com")).access_token;
});
afterAll(() => api.close());

// A role of the app's own, which its tokens name: it comes and goes with the transaction, as roles belong to the cluster.
const moderator = `
  create role moderator;
  grant usage on schema storage to moderator;
  grant all on storage.objects, storage.buckets to moderator;
  set local role moderator;
`;

/** What a statement changes or shows for a role, and nothing stays of it. */
async function tried(role: "anon" | "authenticated" | "moderator", statement: string): Promise<unknown> {
  let rows: unknown;
  await api.database.sql(role === "moderator" ? "supabase_admin" : role).begin(async (transaction) => {
    if (role === "moderator") await transaction.unsafe(moderator);
    // The flag with which Storage itself removes rows.
    await transaction`set local storage.allow_delete_query = 'true'`;
    rows = [...await transaction.unsafe(statement)];
    throw new Error("undone");
  }).catch((error: { code?: string }) => void (rows ??= error.code));
  return rows;
}

test("our bucket is private", async () => {
  expect(await owner`select public from storage.buckets where id = 'mailpipe'`).toEqual([{ public: false }]);
});

test.each([
  ["public", "insert into storage.buckets (id, name, public) values ('mailpipe', 'mailpipe', true)"],
  [
    "not empty",
    `insert into storage.buckets (id, name) values ('mailpipe', 'mailpipe');
    insert into storage.objects (bucket_id, name) values ('mailpipe', 'holiday.jpg')`,
  ],
])("another app's bucket of that name that is %s is not taken over", async (_, theirs) => {
  const host = await cloneDatabase("hosted");
  await host.sql("postgres").unsafe(theirs);
  await expect(applyMigrations(host.url)).rejects.toThrow('bucket "mailpipe" already');
  await host.close();
});

test("an empty private one of that name, as we leave behind, is", async () => {
  const host = await cloneDatabase("hosted");
  await host.sql("postgres")`insert into storage.buckets (id, name) values ('mailpipe', 'mailpipe')`;
  await applyMigrations(host.url);
  await host.close();
});

describe.each(["anon", "authenticated", "moderator"] as const)(
  "under a host app's loosest policies, in SQL, %s",
  (role) => {
    test.each([
      ["sees", "select bucket_id from storage.objects where name like 'org/%'"],
      ["counts", "select from storage.objects where bucket_id = 'mailpipe'"],
      ["locks", "select from storage.objects where bucket_id = 'mailpipe' for update"],
      ["renames", "update storage.objects set name = 'x' where bucket_id = 'mailpipe' returning id"],
      [
        "moves away",
        "update storage.objects set bucket_id = 'theirs' where bucket_id = 'mailpipe' returning id",
      ],
      ["marks", "update storage.objects set owner_id = 'me' where name = 'org/live/ours' returning id"],
      ["removes", "delete from storage.objects where bucket_id = 'mailpipe' returning id"],
      ["sees the bucket and", "select from storage.buckets where id = 'mailpipe'"],
      ["opens the bucket and", "update storage.buckets set public = true where id = 'mailpipe' returning id"],
      ["renames the bucket and", "update storage.buckets set name = 'x' where id = 'mailpipe' returning id"],
      ["removes the bucket and", "delete from storage.buckets where id = 'mailpipe' returning id"],
    ])("%s nothing of ours", async (_, statement) => {
      expect(await tried(role, statement)).toEqual([]);
    });

    test.each([
      [
        "puts nothing into our bucket",
        "insert into storage.objects (bucket_id, name) values ('mailpipe', 'x')",
      ],
      [
        "replaces nothing there",
        `insert into storage.objects (bucket_id, name) values ('mailpipe', 'org/live/ours')
      on conflict (bucket_id, name) do update set version = 'x'`,
      ],
      [
        "moves nothing of theirs there",
        "update storage.objects set bucket_id = 'mailpipe' where bucket_id = 'theirs'",
      ],
      [
        "moves nothing there under our names",
        "update storage.objects set bucket_id = 'mailpipe', name = 'org/live/new'",
      ],
      [
        "gives no bucket our id",
        "update storage.buckets set id = 'mailpipe', name = 'x' where id = 'theirs'",
      ],
      ["makes no bucket of our id", "insert into storage.buckets (id, name) values ('mailpipe', 'x')"],
    ])("%s", async (_, statement) => {
      expect(await tried(role, statement)).toBe("42501");
    });

    test.each([
      ["reads", "select bucket_id from storage.objects", { bucket_id: "theirs" }],
      ["adds", "insert into storage.objects (bucket_id, name) values ('theirs', 'b') returning name", {
        name: "b",
      }],
      ["adds, in no bucket at all,", "insert into storage.objects (name) values ('c') returning name", {
        name: "c",
      }],
      ["renames", "update storage.objects set name = 'dog.png' returning name", { name: "dog.png" }],
      ["removes", "delete from storage.objects returning name", { name: "cat.png" }],
      ["sees the bucket of", "select id from storage.buckets", { id: "theirs" }],
      ["changes the bucket of", "update storage.buckets set public = false returning id", { id: "theirs" }],
    ])("%s what is theirs, as the app wants it", async (_, statement, row) => {
      expect(await tried(role, statement)).toEqual([row]);
    });
  },
);

describe.each([["anon", () => storage(api.publishableKey)], [
  "a session",
  () => storage(session, api.publishableKey),
]])("under a host app's loosest policies, through Storage, %s", (_, client) => {
  const name = "org/live/ours";

  test("lists, reads, links and removes nothing of ours", async () => {
    const bucket = client().from("mailpipe");
    for (const folder of ["", "org", "org/live"]) expect((await bucket.list(folder)).data).toEqual([]);
    expect((await bucket.download(name)).error).toMatchObject({ statusCode: "404" });
    expect((await bucket.createSignedUrl(name, 60)).error).toMatchObject({ statusCode: "404" });
    expect((await bucket.createSignedUrls([name], 60)).data).toMatchObject([{ signedUrl: null }]);
    expect((await bucket.remove([name])).data).toEqual([]);
    const kept = await storage(api.secretKey).from("mailpipe").download(name);
    expect(await kept.data?.text()).toBe("From: ada@example.com");
  });

  test("writes nothing into our bucket, over what is there neither", async () => {
    const bucket = client().from("mailpipe");
    for (const [path, upsert] of [[randomUUID(), false], [name, true]] as const) {
      expect((await bucket.upload(path, bytes, { contentType, upsert })).error).toMatchObject({
        statusCode: "403",
      });
    }
  });

  test("keeps what the app gave it", async () => {
    const [bucket, path] = [client().from("theirs"), `${randomUUID()}.png`];
    expect((await bucket.upload(path, bytes, { contentType })).error).toBeNull();
    expect((await bucket.list()).data?.map((each) => each.name).sort()).toEqual([path, "cat.png"].sort());
    expect((await bucket.remove([path])).data).toHaveLength(1);
  });
});

test("service_role reaches the bucket, since our functions do so as it", async () => {
  await owner`grant select on storage.objects to service_role`;
  expect(
    await api.database.sql("service_role")`select name from storage.objects where bucket_id = 'mailpipe'`,
  )
    .toEqual([{ name: "org/live/ours" }]);
  expect((await storage(api.secretKey).from("mailpipe").list("org/live")).data).toMatchObject([{
    name: "ours",
  }]);
});
