import { StorageClient } from "@supabase/storage-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, signUp, startApi } from "./api.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi("hosted");
  await api.database.sql("postgres")`
    insert into storage.buckets (id, name, file_size_limit, allowed_mime_types)
    values ('mailpipe', 'mailpipe', 1000, array['application/octet-stream'])
  `;
});
afterAll(() => api.close());

function bucket(credential = api.secretKey, apikey = credential) {
  const headers = { apikey, authorization: `Bearer ${credential}` };
  return new StorageClient(`${api.url}/storage/v1`, headers).from("mailpipe");
}

async function bytesOf(name: string): Promise<Uint8Array | undefined> {
  const { data } = await bucket().download(name);
  return data ? new Uint8Array(await data.arrayBuffer()) : undefined;
}

async function sign(name: string, seconds: number): Promise<string> {
  const { data } = await bucket().createSignedUrl(name, seconds, { download: "mail.eml" });
  return data?.signedUrl ?? "";
}

function rows(name: string): Promise<{ version: string; size: number }[]> {
  return api.database.sql("postgres")<{ version: string; size: number }[]>`
    select version, (metadata ->> 'size')::int as size from storage.objects where name = ${name}
  `;
}

const BYTES = new Uint8Array([0, 1, 2, 253, 254, 255]);
const contentType = "application/octet-stream";

describe("the Storage stand-in", () => {
  test("stores bytes with their row, and gives them back to a server", async () => {
    const stored = await bucket().upload("org/live/a b+ü.bin", BYTES, { contentType });
    expect(stored.data).toMatchObject({
      path: "org/live/a b+ü.bin",
      fullPath: "mailpipe/org/live/a b+ü.bin",
    });
    expect(await bytesOf("org/live/a b+ü.bin")).toEqual(BYTES);
    expect((await rows("org/live/a b+ü.bin"))[0]?.size).toBe(6);
  });

  test("takes a Blob as storage-js sends it", async () => {
    const { error } = await bucket().upload("blob", new Blob([BYTES], { type: contentType }), {
      contentType,
    });
    expect(error).toBeNull();
    expect(await bytesOf("blob")).toEqual(BYTES);
  });

  test("refuses a name that is taken, and replaces the bytes with upsert", async () => {
    await bucket().upload("twice", BYTES, { contentType });
    const [first] = await rows("twice");
    expect((await bucket().upload("twice", BYTES, { contentType })).error).toMatchObject({
      statusCode: "409",
    });
    expect(await rows("twice")).toEqual([first]);
    await bucket().upload("twice", BYTES.slice(0, 2), { contentType, upsert: true });
    expect((await bucket().download("twice")).data?.size).toBe(2);
  });

  test("removes the row with the bytes, and names what it removed", async () => {
    await bucket().upload("gone", BYTES, { contentType });
    expect((await bucket().remove(["gone", "never was"])).data?.map(({ name }) => name)).toEqual(["gone"]);
    expect(await rows("gone")).toEqual([]);
    expect((await bucket().download("gone")).error).toMatchObject({ status: 400, statusCode: "404" });
  });

  test("gives the bytes to the holder of a signed URL as a download, and to no altered one", async () => {
    await bucket().upload("signed me", BYTES, { contentType });
    await bucket().upload("not me", BYTES, { contentType });
    const signed = await sign("signed me", 60);
    const response = await fetch(signed);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(BYTES);
    expect(response.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''mail.eml;");
    expect(signed).toContain("/signed%20me?");
    expect((await fetch(signed.replace("signed%20me", "not%20me"))).status).toBe(400);
    expect((await fetch(await sign("signed me", -1))).status).toBe(400);
  });

  test("signs many names at once as downloads that end, and fails only the name that is not there", async () => {
    await bucket().upload("many/1 ä", BYTES, { contentType });
    await bucket().upload("many/2", BYTES.slice(0, 2), { contentType });
    const names = ["many/2", "many/none", "many/1 ä"];
    const { data } = await bucket().createSignedUrls(names, 60, { download: true });
    expect(data?.map(({ path, error }) => [path, error === null])).toEqual([
      ["many/2", true],
      ["many/none", false],
      ["many/1 ä", true],
    ]);
    expect(data?.[1]?.signedUrl).toBeNull();
    const answer = await fetch(data?.[2]?.signedUrl ?? "");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(BYTES);
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename\*=/);
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    const ended = await bucket().createSignedUrls(["many/2"], -1);
    expect((await fetch(ended.data?.[0]?.signedUrl ?? "")).status).toBe(400);
  });

  test("signs many names for nobody the policies keep out", async () => {
    await bucket().upload("theirs", BYTES, { contentType });
    const { data } = await bucket(api.publishableKey).createSignedUrls(["theirs"], 60);
    expect(data).toMatchObject([{ path: "theirs", signedUrl: null }]);
  });

  test("lets policies on storage.objects decide for sessions and the publishable key", async () => {
    await bucket().upload("private", BYTES, { contentType });
    const { access_token } = await signUp(api, "eve@example.com");
    for (const outsider of [bucket(api.publishableKey), bucket(access_token, api.publishableKey)]) {
      expect((await outsider.download("private")).error).toMatchObject({ statusCode: "404" });
      expect((await outsider.upload("mine", BYTES, { contentType })).error).toMatchObject({
        statusCode: "403",
      });
      expect((await outsider.remove(["private"])).data).toEqual([]);
    }
    expect(await rows("mine")).toEqual([]);
    await api.database.sql("postgres")`create policy loose on storage.objects to authenticated using (true)`;
    expect((await bucket(access_token, api.publishableKey).download("private")).error).toBeNull();
  });

  test("lists a folder, its objects and the folders in it, as far as the policies let the caller see them", async () => {
    for (const name of ["box/b", "box/a", "box/in/one", "box/in/two", "boxes"]) {
      await bucket().upload(name, BYTES, { contentType });
    }
    const listed = await bucket().list("box");
    expect(listed.data?.map(({ name, id }) => [name, id !== null])).toEqual([
      ["a", true],
      ["b", true],
      ["in", false],
    ]);
    expect(listed.data?.[0]?.metadata).toMatchObject({ size: 6, mimetype: contentType });
    expect((await bucket().list("box", { limit: 1 })).data).toHaveLength(1);
    expect((await bucket(api.publishableKey).list("box")).data).toEqual([]);
  });

  test("refuses an unknown key, a bucket that is not there, and what the bucket's limits refuse", async () => {
    expect((await bucket("sb_secret_other").download("blob")).error).toMatchObject({ statusCode: "403" });
    const big = await bucket().upload("big", new Uint8Array(1001), { contentType });
    expect(big.error).toMatchObject({ statusCode: "413" });
    const html = await bucket().upload("page", BYTES, { contentType: "text/html" });
    expect(html.error).toMatchObject({ statusCode: "415" });
    const client = new StorageClient(`${api.url}/storage/v1`, { apikey: api.secretKey });
    expect((await client.from("other").upload("x", BYTES)).error).toMatchObject({ statusCode: "404" });
  });

  test("refuses deletion in SQL, as hosted does", async () => {
    await expect(api.database.sql("postgres")`delete from storage.objects where name = 'blob'`)
      .rejects.toMatchObject({ code: "42501" });
  });
});
