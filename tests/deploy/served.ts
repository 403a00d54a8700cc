import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startFunctions } from "../../supabase/local/functions.ts";
import { type Deployment, unpack } from "./deployment.ts";

/** What was uploaded, answering over HTTP under Deno 2.1.4. */
export interface Served {
  /** Asks a function as the platform would: the path begins with the slug, the scheme was https. */
  ask(method: string, path: string, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
}

/** Port 9 is "discard": nothing listens there, so a function that tries the database is told so at once. */
function environment(): Record<string, string> {
  const key = (type: string) => JSON.stringify({ default: `sb_${type}_${randomBytes(16).toString("hex")}` });
  return {
    SUPABASE_URL: "http://127.0.0.1:9",
    SUPABASE_PUBLISHABLE_KEYS: key("publishable"),
    SUPABASE_SECRET_KEYS: key("secret"),
    SUPABASE_JWKS: '{"keys":[]}',
  };
}

/** Unpacks a deployment into a clean folder and serves its functions from there, by the stack's own host. */
export async function serve(deployment: Deployment, nodeModules: string): Promise<Served> {
  const { scratch } = deployment;
  const host = await startFunctions({
    root: unpack(deployment, nodeModules),
    logFile: join(scratch, "functions.log"),
    cacheFolder: join(scratch, "deno"),
    environment: environment(),
  });
  const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${host.port()}/${path}`, {
      method,
      headers: { "x-forwarded-proto": "https", ...headers },
      ...(/^(POST|PUT|PATCH)$/.test(method) ? { body: "{}" } : {}),
      signal: AbortSignal.timeout(20_000),
    });
  return { ask, stop: () => host.stop() };
}
