import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EdgeFunction } from "../../shared/serve.ts";
import { answerWith } from "../../supabase/local/fetch-handler.ts";
import { openGateway } from "../../supabase/local/gateway.ts";
import { listen } from "../../supabase/local/ports.ts";
import { startRest } from "../../supabase/local/rest.ts";
import { createStorage } from "../../supabase/local/storage.ts";
import { overheard } from "./ask.ts";
import { cloneDatabase, type Template, type TestDatabase } from "./database.ts";
import { noteEvidence, noteSecrets } from "./secret-register.ts";

/** One request that reached the project; for an RPC, `rpc` is the database function called: one SQL call. */
export interface ApiCall {
  method: string;
  path: string;
  rpc?: string;
}

/** A Supabase project on loopback: PostgREST, Auth and Storage over a database of the test's own. */
export interface Api {
  url: string;
  publishableKey: string;
  secretKey: string;
  database: TestDatabase;
  /** Every request since the start, or since the test emptied it (`api.calls.length = 0`). */
  calls: ApiCall[];
  /** Serves functions under `/functions/v1`, for what calls a worker; until then their paths answer 503. */
  serveFunctions(functions: Record<string, EdgeFunction>): Promise<void>;
  close(): Promise<void>;
}

/** A signed-in user of the project. */
export interface Session {
  user_id: string;
  access_token: string;
  session_id: string;
}

/**
 * Starts a project and points `process.env` at it as the hosted runtime does, so that functions imported in this
 * test file talk to it. Close it in `afterAll`; the environment is then as before. Over a database that was there
 * already, that database stays. `exposed` are schemas the operator lets the Data API serve beside those it must.
 */
export async function startApi(
  over: Template | TestDatabase = "mailpipe",
  exposed: string[] = [],
): Promise<Api> {
  const database = typeof over === "string" ? await cloneDatabase(over) : over;
  const gateway = await openGateway(0);
  const url = `http://127.0.0.1:${gateway.port}`;
  const keys = {
    publishableKey: `sb_publishable_${randomBytes(16).toString("base64url")}`,
    secretKey: `sb_secret_${randomBytes(16).toString("base64url")}`,
    jwtSecret: randomBytes(32).toString("base64url"),
  };
  noteSecrets([
    { kind: "project's secret key", text: keys.secretKey },
    { kind: "project's signing secret", text: keys.jwtSecret },
  ]);
  const rest = startRest({ url: database.urlOf("supabase_admin"), apiUrl: url, exposed, ...keys });
  const dir = join(tmpdir(), `mailpipe-storage-${randomUUID()}`);
  const storage = createStorage({ dir, sql: database.sql("authenticator"), ...keys });
  const calls: ApiCall[] = [];
  const recorded = (answer: (request: Request) => Promise<Response>) => (request: Request) => {
    calls.push(described(request));
    return answer(request);
  };
  const host = createServer();
  gateway.open({
    functionsPort: () => (host.address() as AddressInfo | null)?.port,
    handlers: {
      "/rest/v1": recorded(rest.fetch),
      "/auth/v1": recorded(rest.fetch),
      "/storage/v1": recorded(storage.fetch),
    },
  });
  const restore = setEnvironment({
    SUPABASE_URL: url,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
  });
  return {
    url,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    database,
    calls,
    async serveFunctions(functions) {
      host.on("request", (request, response) => answerWith(bySlug(functions), request, response));
      await listen(host, 0);
    },
    async close() {
      restore();
      host.closeAllConnections();
      host.close();
      await gateway.close();
      await rest.close();
      if (database !== over) await database.close();
      keepObjects(dir);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Registers a user with Auth and signs her in; her address counts as confirmed. */
export async function signUp(api: Api, email: string, password: string = randomUUID()): Promise<Session> {
  return await sessionFrom(api, "signup", { email, password });
}

/** Signs a user in who signed up before. */
export async function signInAgain(api: Api, email: string, password: string): Promise<Session> {
  return await sessionFrom(api, "token?grant_type=password", { email, password });
}

async function sessionFrom(api: Api, path: string, body: Record<string, string>): Promise<Session> {
  const response = await fetch(`${api.url}/auth/v1/${path}`, {
    method: "POST",
    headers: { apikey: api.publishableKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${path} of ${body["email"]}: ${response.status} ${await response.text()}`);
  }
  const { access_token, user } = await response.json() as { access_token: string; user: { id: string } };
  const claims = Buffer.from(access_token.split(".")[1] ?? "", "base64url").toString("utf8");
  const { session_id } = JSON.parse(claims) as { session_id: string };
  noteSecrets([{ kind: "session", text: access_token }]);
  return { user_id: user.id, access_token, session_id };
}

/** Raw mail rests in Storage beside the database, so it is searched like a dump. */
function keepObjects(dir: string): void {
  if (!existsSync(dir)) return;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) {
      noteEvidence("stored object", "a file", readFileSync(join(entry.parentPath, entry.name)));
    }
  }
}

function bySlug(functions: Record<string, EdgeFunction>): (request: Request) => Promise<Response> {
  return async (request) => {
    const slug = new URL(request.url).pathname.split("/")[1] ?? "";
    const fn = functions[slug];
    return fn === undefined ? new Response(null, { status: 404 }) : await overheard(fn, request);
  };
}

function described(request: Request): ApiCall {
  const { pathname: path } = new URL(request.url);
  const rpc = /^\/rest\/v1\/rpc\/(.+)$/.exec(path)?.[1];
  return { method: request.method, path, ...(rpc === undefined ? {} : { rpc }) };
}

function setEnvironment(values: Record<string, string>): () => void {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}
