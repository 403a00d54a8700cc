import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What the CLI sends about a function beside its files. */
export interface Metadata {
  name: string;
  entrypoint_path: string;
  import_map_path: string;
  verify_jwt: boolean;
  static_patterns: string[];
}

/** One function as it was uploaded; `live` once the closing request named it. */
export interface Upload {
  slug: string;
  metadata: Metadata;
  files: Map<string, Uint8Array>;
  live: boolean;
}

/** A project of the hosted platform as its management API shows it; everything is in memory. */
export interface ManagementApi {
  /** Origin on loopback. */
  url: string;
  /** 20 lower-case letters, the form the CLI takes for a project. */
  ref: string;
  /** The one access token it accepts, made for this run. */
  token: string;
  uploads: Map<string, Upload>;
  secrets: Map<string, string>;
  /** GET and PATCH `…/postgrest`; `db_schema` lists the exposed schemas, comma-separated. */
  postgrest: { db_schema: string; db_extra_search_path: string; max_rows: number; db_pool: number | null };
  apiKeys: { name: string; type: "publishable" | "secret"; api_key: string }[];
  /** Requests nobody answers here, as `METHOD path`. */
  unknown: string[];
  close(): Promise<void>;
}

type Handler = (api: ManagementApi, request: { url: URL; body: Response }) => Promise<unknown> | unknown;

function functionResource({ slug, metadata, live }: Upload): Record<string, unknown> {
  const about = { slug, name: metadata.name, version: 1, created_at: 1, updated_at: 1, import_map: true };
  const { entrypoint_path, import_map_path, verify_jwt } = metadata;
  const status = live ? "ACTIVE" : "REMOVED";
  return { id: slug, ...about, entrypoint_path, import_map_path, verify_jwt, status, ezbr_sha256: "00" };
}

const upload: Handler = async (api, { url, body }) => {
  const form = await body.formData();
  const slug = url.searchParams.get("slug") ?? "";
  const files = new Map<string, Uint8Array>();
  for (const file of form.getAll("file")) {
    if (typeof file !== "string") files.set(file.name, new Uint8Array(await file.arrayBuffer()));
  }
  const metadata = JSON.parse(String(form.get("metadata"))) as Metadata;
  const uploaded = { slug, metadata, files, live: url.searchParams.get("bundleOnly") !== "true" };
  api.uploads.set(slug, uploaded);
  return { ...functionResource(uploaded), status: "ACTIVE" };
};

const activate: Handler = async (api, { body }) => {
  for (const { slug } of await body.json() as { slug: string }[]) {
    const uploaded = api.uploads.get(slug);
    if (uploaded !== undefined) uploaded.live = true;
  }
  return { functions: listFunctions(api) };
};

function listFunctions(api: ManagementApi): unknown[] {
  return [...api.uploads.values()].filter(({ live }) => live).map(functionResource);
}

/** Below `/v1/projects/<ref>`. */
const routes: Record<string, Handler> = {
  "GET ": ({ ref }) => ({
    id: ref,
    ref,
    name: "stand-in",
    organization_id: "stand-in",
    organization_slug: "stand-in",
    region: "eu-central-1",
    created_at: "2026-01-01T00:00:00Z",
    status: "ACTIVE_HEALTHY",
    database: { host: "localhost", version: "17", postgres_engine: "17", release_channel: "ga" },
  }),
  "GET /functions": listFunctions,
  "POST /functions/deploy": upload,
  "PUT /functions": activate,
  "GET /secrets": ({ secrets }) => [...secrets].map(([name, value]) => ({ name, value })),
  "POST /secrets": async ({ secrets }, { body }) => {
    for (const { name, value } of await body.json() as { name: string; value: string }[]) {
      secrets.set(name, value);
    }
    return {};
  },
  "GET /api-keys": ({ apiKeys }, { url }) =>
    apiKeys.map((key) => ({
      ...key,
      id: key.name,
      api_key: url.searchParams.get("reveal") ? key.api_key : "…",
    })),
  "GET /postgrest": ({ postgrest }) => postgrest,
  "PATCH /postgrest": async ({ postgrest }, { body }) => Object.assign(postgrest, await body.json()),
};

async function answer(
  api: ManagementApi,
  incoming: IncomingMessage,
): Promise<{ status: number; json: unknown }> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  const { authorization = "", "content-type": type = "application/json" } = incoming.headers;
  const url = new URL(incoming.url ?? "/", api.url);
  const route = `${incoming.method} ${url.pathname.replace(`/v1/projects/${api.ref}`, "")}`;
  if (authorization !== `Bearer ${api.token}`) return { status: 401, json: { message: "Unauthorized" } };
  const handler = url.pathname.startsWith(`/v1/projects/${api.ref}`) ? routes[route] : undefined;
  if (handler === undefined) {
    api.unknown.push(route);
    return { status: 404, json: { message: `no stand-in for ${route}` } };
  }
  const body = new Response(Buffer.concat(pieces), { headers: { "content-type": type } });
  return { status: incoming.method === "POST" ? 201 : 200, json: await handler(api, { url, body }) };
}

function letters(count: number): string {
  return [...randomBytes(count)].map((byte) => String.fromCharCode(97 + byte % 26)).join("");
}

function emptyProject(): Omit<ManagementApi, "url" | "close"> {
  const key = (type: "publishable" | "secret") => `sb_${type}_${randomBytes(16).toString("hex")}`;
  return {
    ref: letters(20),
    token: `sbp_${randomBytes(20).toString("hex")}`,
    uploads: new Map(),
    secrets: new Map(),
    postgrest: {
      db_schema: "public,graphql_public",
      db_extra_search_path: "public",
      max_rows: 1000,
      db_pool: null,
    },
    apiKeys: [
      { name: "default", type: "publishable", api_key: key("publishable") },
      { name: "default", type: "secret", api_key: key("secret") },
    ],
    unknown: [],
  };
}

/** Starts a stand-in for the management API on loopback, with one empty project (platform.md §3.5). */
export async function startManagementApi(): Promise<ManagementApi> {
  const server = createServer((incoming, outgoing) => {
    answer(api, incoming).catch((error: unknown) => ({ status: 500, json: { message: String(error) } })).then(
      ({ status, json }) =>
        outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(json)),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  const api: ManagementApi = { ...emptyProject(), url, close };
  return api;
}
