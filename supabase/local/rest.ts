import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { answerAsPostgrest } from "./rest-errors.ts";

export interface RestOptions {
  /** The database, as the superuser `supabase_admin`: lite writes schema auth and takes every role. */
  url: string;
  /** Signs sessions (HS256). Keep it with the data: another one ends every session. */
  jwtSecret: string;
  /** `sb_publishable_…`, which is role anon. */
  publishableKey: string;
  /** `sb_secret_…`, which is role service_role. */
  secretKey: string;
  /** Where the gateway answers; it appears in the links of Auth's mails. */
  apiUrl: string;
  /** Schemas the operator exposes beside `public` and `mailpipe_api`. */
  exposed?: string[];
}

export interface Rest {
  /** Answers `/rest/v1` (PostgREST) and `/auth/v1` (Auth); 404 for every other path. */
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

// Hosted, service_role has no timeout of its own and so inherits authenticator's.
const STATEMENT_TIMEOUT_MS = 8_000;

// Lite hands over JSON that is already text; its own serializer would quote it a second time.
const jsonText = (oid: number) => ({
  to: oid,
  from: [oid],
  serialize: (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value)),
  parse: (text: string) => JSON.parse(text) as unknown,
});

/**
 * PostgREST and Auth through @supabase/lite, over a bootstrapped database. It reads the schema once: functions
 * made later are PGRST202 until a restart. For wiring, never for security tests (DESIGN §12).
 */
export function startRest(options: RestOptions): Rest {
  const connection = createPostgresConnection({
    url: options.url,
    postgresOptions: {
      onnotice: () => {},
      connection: { statement_timeout: STATEMENT_TIMEOUT_MS },
      types: { json: jsonText(114), jsonb: jsonText(3802) },
    },
  });
  // Left to itself lite grants everything, in every schema that owns a table with row-level security, to anon,
  // authenticated and service_role. Told that this is done, it leaves the privileges as the migrations set them.
  Object.assign(connection, { rlsState: "active" });
  const app = new App({ connection, ...configuration(options) });
  const answering = new Set<Promise<Response>>();
  return {
    async fetch(request) {
      if (!/^\/(rest|auth)\/v1(\/|$)/.test(new URL(request.url).pathname)) {
        return new Response(null, { status: 404 });
      }
      const answer = answerAsPostgrest(() => app.fetch(request));
      answering.add(answer);
      return await answer.finally(() => answering.delete(answer));
    },
    async close() {
      // A transaction whose connection is ended under it never ends.
      await Promise.allSettled(answering);
      await connection.close();
    },
  };
}

function configuration({ jwtSecret, publishableKey, secretKey, apiUrl, exposed = [] }: RestOptions) {
  return {
    api: { enabled: true, schemas: ["public", "mailpipe_api", ...exposed], max_rows: 1000 },
    auth: {
      enabled: true,
      jwt_secret: jwtSecret,
      publishable_key: publishableKey,
      secret_key: secretKey,
      site_url: apiUrl,
      enable_signup: true,
      email: { enable_signup: true, enable_confirmations: false },
    },
    storage: { enabled: false },
    studio: { enabled: false },
    // The history is the CLI's, which runs as `postgres`; a table lite made would be closed to it.
    db: { migrations: { enabled: false } },
  };
}
