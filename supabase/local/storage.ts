import { SignJWT } from "jose";
import type { Sql } from "postgres";
import { type Principal, principalOf, type StorageKeys, verified } from "./storage-access.ts";
import { ObjectStore } from "./storage-objects.ts";
import { refusal, StorageRefusal } from "./storage-errors.ts";

export interface StorageOptions extends StorageKeys {
  /** Where the bytes lie. Made if missing. */
  dir: string;
  /** The database as `authenticator`, which takes the caller's role; so policies on storage.objects decide. */
  sql: Sql;
}

export interface Storage {
  /** Answers the routes under `/storage/v1` that storage-js uses for one object at a time. */
  fetch(request: Request): Promise<Response>;
}

interface Route {
  method: string;
  path: RegExp;
  answer(request: Request, match: RegExpExecArray): Promise<Response>;
}

/**
 * A stand-in for Supabase Storage: upload (with `x-upsert`), download, removal and signed URLs, the bytes on disk
 * and one row each in storage.objects. Bytes are written before the row and removed after it, so no row lacks them.
 */
export function createStorage(options: StorageOptions): Storage {
  const store = new ObjectStore(options.dir, options.sql);
  const key = new TextEncoder().encode(options.jwtSecret);
  const as = (request: Request): Promise<Principal> => principalOf(request, options);

  const routes: Route[] = [
    {
      method: "POST",
      path: /^\/object\/sign\/([^/]+)\/(.+)$/,
      async answer(request, [, bucket = "", name = ""]) {
        const { expiresIn } = await request.json() as { expiresIn: number };
        await store.find(await as(request), bucket, name);
        const expires = Math.floor(Date.now() / 1000) + expiresIn;
        const token = await new SignJWT({ url: `${bucket}/${name}` })
          .setProtectedHeader({ alg: "HS256" }).setIssuedAt().setExpirationTime(expires).sign(key);
        // Not escaped: storage-js applies encodeURI to what it gets.
        return Response.json({ signedURL: `/object/sign/${bucket}/${name}?token=${token}` });
      },
    },
    {
      method: "GET",
      path: /^\/object\/sign\/([^/]+)\/(.+)$/,
      async answer(request, [, bucket = "", name = ""]) {
        const { searchParams } = new URL(request.url);
        const { url } = await verified(searchParams.get("token") ?? "", options.jwtSecret);
        if (url !== `${bucket}/${name}`) {
          throw new StorageRefusal(400, "InvalidSignature", "Invalid signature");
        }
        return await store.read(
          { role: "service_role", claims: {} },
          bucket,
          name,
          searchParams.get("download"),
        );
      },
    },
    {
      method: "GET",
      path: /^\/object\/(?:authenticated\/)?([^/]+)\/(.+)$/,
      answer: async (request, [, bucket = "", name = ""]) =>
        await store.read(await as(request), bucket, name, new URL(request.url).searchParams.get("download")),
    },
    {
      method: "POST",
      path: /^\/object\/([^/]+)\/(.+)$/,
      async answer(request, [, bucket = "", name = ""]) {
        const upsert = request.headers.get("x-upsert") === "true";
        const id = await store.write(await as(request), bucket, name, request, upsert);
        return Response.json({ Id: id, Key: `${bucket}/${name}` });
      },
    },
    {
      method: "DELETE",
      path: /^\/object\/([^/]+)$/,
      async answer(request, [, bucket = ""]) {
        const { prefixes } = await request.json() as { prefixes: string[] };
        return Response.json(await store.remove(await as(request), bucket, prefixes));
      },
    },
  ];

  return {
    async fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname.replace(/^\/storage\/v1/, ""));
      const route = routes.find((each) => each.method === request.method && each.path.test(path));
      const match = route?.path.exec(path);
      if (!route || !match) {
        return Response.json({ message: `Route ${request.method}:${path} not found` }, { status: 404 });
      }
      return await route.answer(request, match).catch(refusal);
    },
  };
}
