import { randomBytes, randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sql } from "postgres";
import { openGateway } from "../../supabase/local/gateway.ts";
import { startRest } from "../../supabase/local/rest.ts";
import { createStorage } from "../../supabase/local/storage.ts";
import { monotonic } from "./monotonic.ts";

/** What the functions reach over HTTP, on loopback. */
export interface Edge {
  /** Path of every request that arrived since the start, or since it was emptied. */
  arrived: string[];
  /** When the newest answer to each path was ready, on the monotonic clock: what it tells of is committed. */
  answered: Map<string, number>;
  /** Has the functions that listen at `port` answer under /functions/v1. */
  serveFunctions(port: number): void;
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
  const answered = new Map<string, number>();
  const noted = async (request: Request) => {
    const { pathname } = new URL(request.url);
    arrived.push(pathname);
    const answer = await rest.fetch(request);
    answered.set(pathname, monotonic());
    return answer;
  };
  let functionsPort: number | undefined;
  gateway.open({
    functionsPort: () => functionsPort,
    handlers: { "/storage/v1": storage.fetch, "/": noted },
  });
  Object.assign(process.env, {
    SUPABASE_URL: apiUrl,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
  });
  return {
    arrived,
    answered,
    serveFunctions: (port) => void (functionsPort = port),
    async close() {
      await gateway.close();
      await rest.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
