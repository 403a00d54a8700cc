import { SignJWT } from "jose";
import type { Sql } from "postgres";
import { principalOf, type StorageKeys, verified } from "./storage-access.ts";
import { refusal, StorageRefusal } from "./storage-errors.ts";
import { ObjectStore } from "./storage-objects.ts";

export interface StorageOptions extends StorageKeys {
  /** Where the bytes lie. Made if missing. */
  dir: string;
  /** The database as `authenticator`, which takes the caller's role: so policies on storage.objects decide. */
  sql: Sql;
}

export interface Storage {
  /** Answers the routes under `/storage/v1` that storage-js uses for objects. */
  fetch(request: Request): Promise<Response>;
}

/** One request, with the bucket and the object's name (empty where the route has none) its path speaks of. */
interface Call {
  request: Request;
  bucket: string;
  name: string;
  store: ObjectStore;
  keys: StorageKeys;
}

interface Route {
  method: string;
  path: RegExp;
  answer(call: Call): Promise<Response>;
}

// In order: what comes first takes `list`, `sign` and `authenticated` before they could be names of buckets.
const ROUTES: Route[] = [
  { method: "POST", path: /^\/object\/list\/([^/]+)$/, answer: list },
  { method: "POST", path: /^\/object\/sign\/([^/]+)$/, answer: signMany },
  { method: "POST", path: /^\/object\/sign\/([^/]+)\/(.+)$/, answer: sign },
  { method: "GET", path: /^\/object\/sign\/([^/]+)\/(.+)$/, answer: readSigned },
  { method: "GET", path: /^\/object\/(?:authenticated\/)?([^/]+)\/(.+)$/, answer: read },
  { method: "POST", path: /^\/object\/([^/]+)\/(.+)$/, answer: write },
  { method: "DELETE", path: /^\/object\/([^/]+)$/, answer: remove },
];

/**
 * A stand-in for Supabase Storage: upload (with `x-upsert`), download, list, removal and signed URLs; the bytes on disk
 * and a row each in storage.objects. Bytes are written before the row and removed after it, so no row lacks them.
 */
export function createStorage({ dir, sql, ...keys }: StorageOptions): Storage {
  const store = new ObjectStore(dir, sql);
  return {
    async fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname.replace(/^\/storage\/v1/, ""));
      const route = ROUTES.find((each) => each.method === request.method && each.path.test(path));
      if (!route) {
        return Response.json({ message: `Route ${request.method}:${path} not found` }, { status: 404 });
      }
      const [, bucket = "", name = ""] = route.path.exec(path) ?? [];
      return await route.answer({ request, bucket, name, store, keys }).catch(refusal);
    },
  };
}

async function sign({ request, bucket, name, store, keys }: Call): Promise<Response> {
  const { expiresIn } = await request.json() as { expiresIn: number };
  await store.find(await principalOf(request, keys), bucket, name);
  return Response.json({ signedURL: await signedUrl(`${bucket}/${name}`, expiresIn, keys) });
}

/** One answer a path, in their order; a path the caller may not see is an error of its own and fails no other. */
async function signMany({ request, bucket, store, keys }: Call): Promise<Response> {
  const { expiresIn, paths } = await request.json() as { expiresIn: number; paths: string[] };
  const seen = await store.visible(await principalOf(request, keys), bucket, paths);
  const answers = paths.map(async (path) =>
    seen.has(path)
      ? { error: null, path, signedURL: await signedUrl(`${bucket}/${path}`, expiresIn, keys) }
      : { error: UNSEEN, path, signedURL: null }
  );
  return Response.json(await Promise.all(answers));
}

// In the words of the hosted server.
const UNSEEN = "Either the object does not exist or you do not have access to it";

/** A path with a token that names the object and ends after `seconds`. Not escaped: storage-js applies encodeURI. */
async function signedUrl(object: string, seconds: number, keys: StorageKeys): Promise<string> {
  const token = await new SignJWT({ url: object })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuedAt()
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(new TextEncoder().encode(keys.jwtSecret));
  return `/object/sign/${object}?token=${token}`;
}

async function readSigned({ request, bucket, name, store, keys }: Call): Promise<Response> {
  const { searchParams } = new URL(request.url);
  const { url } = await verified(searchParams.get("token") ?? "", keys.jwtSecret);
  if (url !== `${bucket}/${name}`) throw new StorageRefusal(400, "InvalidSignature", "Invalid signature");
  return await store.read({ role: "service_role", claims: {} }, bucket, name, searchParams.get("download"));
}

async function read({ request, bucket, name, store, keys }: Call): Promise<Response> {
  const download = new URL(request.url).searchParams.get("download");
  return await store.read(await principalOf(request, keys), bucket, name, download);
}

async function list({ request, bucket, store, keys }: Call): Promise<Response> {
  const { prefix = "", limit = 100 } = await request.json() as { prefix?: string; limit?: number };
  const folder = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  return Response.json(await store.list(await principalOf(request, keys), bucket, folder, limit));
}

async function write({ request, bucket, name, store, keys }: Call): Promise<Response> {
  const id = await store.write(await principalOf(request, keys), bucket, name, request);
  return Response.json({ Id: id, Key: `${bucket}/${name}` });
}

async function remove({ request, bucket, store, keys }: Call): Promise<Response> {
  const { prefixes } = await request.json() as { prefixes: string[] };
  return Response.json(await store.remove(await principalOf(request, keys), bucket, prefixes));
}
