import { randomBytes, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sql } from "postgres";
import { openGateway } from "../../supabase/local/gateway.ts";
import { startRest } from "../../supabase/local/rest.ts";
import { createStorage } from "../../supabase/local/storage.ts";

/** What the functions reach over HTTP, on loopback. */
export interface Edge {
  /** Path of every request that arrived since the start, or since it was emptied. */
  arrived: string[];
  close(): Promise<void>;
}

/**
 * Starts the stand-ins for PostgREST over the database at `url` and for Storage as `sql` (role authenticator), and points
 * the functions' environment at them.
 */
export async function startEdge(url: string, sql: Sql): Promise<Edge> {
  const gateway = await openGateway(0);
  const apiUrl = `http://127.0.0.1:${gateway.port}`;
  const secret = () => randomBytes(32).toString("base64url");
  const keys = { publishableKey: `sb_publishable_${secret()}`, secretKey: `sb_secret_${secret()}` };
  const jwtSecret = secret();
  const rest = startRest({ url, apiUrl, jwtSecret, ...keys });
  const dir = join(tmpdir(), `mailpipe-bench-storage-${randomUUID()}`);
  const storage = createStorage({ dir, sql, jwtSecret, ...keys });
  const arrived: string[] = [];
  const noted = (request: Request) => {
    arrived.push(new URL(request.url).pathname);
    return rest.fetch(request);
  };
  gateway.open({ functionsPort: () => undefined, handlers: { "/storage/v1": storage.fetch, "/": noted } });
  Object.assign(process.env, {
    SUPABASE_URL: apiUrl,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
  });
  return {
    arrived,
    async close() {
      await gateway.close();
      await rest.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
