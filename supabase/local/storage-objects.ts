import { createHash, randomUUID } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Sql, TransactionSql } from "postgres";
import { writePrivateFile } from "./private-file.ts";
import type { Principal } from "./storage-access.ts";
import { StorageRefusal } from "./storage-errors.ts";
import { insert, versionOf } from "./storage-rows.ts";
import { uploadOf } from "./storage-upload.ts";

interface StoredObject {
  id: string;
  name: string;
  version: string;
  metadata: { size: number; mimetype: string; eTag: string; cacheControl: string };
}

interface Bucket {
  file_size_limit: string | null;
  allowed_mime_types: string[] | null;
}

/** Bytes on disk under a version of their own, and the row that names the version. Rows are touched as the caller. */
export class ObjectStore {
  constructor(private readonly dir: string, private readonly sql: Sql) {}

  /** The row of an object the caller may see; refuses as "not found" otherwise. */
  async find(principal: Principal, bucket: string, name: string): Promise<StoredObject> {
    const [row] = await this.as(principal, (sql) =>
      sql<StoredObject[]>`
        select id, name, version, metadata from storage.objects where bucket_id = ${bucket} and name = ${name}
      `);
    if (!row) throw new StorageRefusal(404, "not_found", "Object not found");
    return row;
  }

  /** Those of `names` that are objects the caller may see. */
  async visible(principal: Principal, bucket: string, names: string[]): Promise<Set<string>> {
    if (names.length === 0) return new Set();
    const rows = await this.as(principal, (sql) =>
      sql<{ name: string }[]>`
        select name from storage.objects where bucket_id = ${bucket} and name in ${sql(names)}
      `);
    return new Set(rows.map(({ name }) => name));
  }

  /** What lies in a folder as far as the caller may see it: objects, and folders as names without an id. */
  list(principal: Principal, bucket: string, folder: string, limit: number): Promise<object[]> {
    return this.as(principal, (sql) =>
      sql`
        select
          split_part(path, '/', 1) as name,
          (array_agg(id) filter (where strpos(path, '/') = 0))[1] as id,
          (array_agg(metadata) filter (where strpos(path, '/') = 0))[1] as metadata
        from storage.objects
        cross join lateral substr(name, length(${folder}::text) + 1) as rest (path)
        where bucket_id = ${bucket} and starts_with(name, ${folder})
        group by 1
        order by 1
        limit ${limit}
      `);
  }

  /** The bytes, as an attachment when `download` (a file name, or empty for the object's own) is asked for. */
  async read(principal: Principal, bucket: string, name: string, download: string | null): Promise<Response> {
    const { version, metadata } = await this.find(principal, bucket, name);
    const headers = new Headers({
      "content-type": metadata.mimetype,
      "cache-control": metadata.cacheControl,
      etag: metadata.eTag,
    });
    if (download !== null) {
      const file = encodeURIComponent(download || name.split("/").at(-1) || name);
      headers.set("content-disposition", `attachment; filename*=UTF-8''${file};`);
    }
    return new Response(await this.bytesOf(principal, bucket, name, version), { headers });
  }

  /** A version that was replaced between its row and its bytes is gone; the row then names the new one. */
  private async bytesOf(principal: Principal, bucket: string, name: string, version: string) {
    return await readFile(join(this.dir, version)).catch(async () =>
      await readFile(join(this.dir, (await this.find(principal, bucket, name)).version))
    );
  }

  /** Stores the request's upload and returns the row's id. */
  async write(principal: Principal, bucket: string, name: string, request: Request): Promise<string> {
    const { bytes, upsert, mimetype, cacheControl } = await uploadOf(request);
    await this.checkLimits(bucket, bytes.length, mimetype);
    const eTag = `"${createHash("md5").update(bytes).digest("hex")}"`;
    const metadata = { size: bytes.length, mimetype, eTag, cacheControl, contentLength: bytes.length };
    const version = randomUUID();
    await writePrivateFile(join(this.dir, version), bytes);
    const { id, replaced } = await this.as(principal, async (sql) => ({
      replaced: upsert ? await versionOf(sql, bucket, name) : undefined,
      id: await insert(sql, { bucket, name, version, metadata, upsert }),
    })).catch(async (error: unknown) => {
      await this.discard(version);
      throw error;
    });
    if (replaced) await this.discard(replaced);
    return id;
  }

  /** Deletes what the caller may delete of `names`, and returns those rows. */
  async remove(principal: Principal, bucket: string, names: string[]): Promise<StoredObject[]> {
    if (names.length === 0) return [];
    const removed = await this.as(principal, async (sql) => {
      await sql`select set_config('storage.allow_delete_query', 'true', true)`;
      return await sql<StoredObject[]>`
        delete from storage.objects where bucket_id = ${bucket} and name in ${sql(names)}
        returning id, name, version, metadata
      `;
    });
    for (const { version } of removed) await this.discard(version);
    return removed;
  }

  private discard(version: string): Promise<void> {
    return rm(join(this.dir, version), { force: true });
  }

  private async checkLimits(bucket: string, size: number, mimetype: string): Promise<void> {
    const [limits] = await this.as(
      { role: "service_role", claims: {} },
      (sql) =>
        sql<Bucket[]>`select file_size_limit, allowed_mime_types from storage.buckets where id = ${bucket}`,
    );
    if (!limits) throw new StorageRefusal(404, "Bucket not found", "Bucket not found");
    if (limits.file_size_limit !== null && size > Number(limits.file_size_limit)) {
      throw new StorageRefusal(413, "Payload too large", "The object exceeded the maximum allowed size");
    }
    const allowed = limits.allowed_mime_types ?? [mimetype];
    if (!allowed.includes(mimetype)) {
      throw new StorageRefusal(415, "invalid_mime_type", `mime type ${mimetype} is not supported`);
    }
  }

  private as<T>({ role, claims }: Principal, work: (sql: TransactionSql) => Promise<T>): Promise<T> {
    return this.sql.begin(async (sql) => {
      await sql`
        select set_config('role', ${role}, true),
               set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)
      `;
      return await work(sql);
    }) as Promise<T>;
  }
}
