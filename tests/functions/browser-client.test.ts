import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import whoami from "../../functions/whoami/index.ts";
import { type Api, startApi } from "../support/api.ts";
import { overheard, requestOf } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";

let api: Api;

beforeAll(async () => {
  keepLog();
  api = await startApi();
});

afterAll(() => api?.close());

/** A page's client: the publishable key, the user's session, and the Origin a browser adds. */
function browserClient() {
  const viaFunctions = (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    if (!new URL(request.url).pathname.startsWith("/functions/v1/")) return fetch(request);
    request.headers.set("origin", "https://app.example");
    return overheard(whoami, request);
  };
  // Node 20 has no WebSocket, and a page that calls functions needs none.
  return createClient(api.url, api.publishableKey, {
    global: { fetch: viaFunctions },
    realtime: { transport: class {} as never },
  });
}

test("a browser signs in with supabase-js and calls with its session, never with a key", async () => {
  const client = browserClient();
  await client.auth.signUp({ email: "ana@example.com", password: crypto.randomUUID() });
  await api.database.sql("postgres")`select mailpipe.create_organization('Acme', 'ana@example.com')`;
  const { data, error } = await client.functions.invoke("whoami", { method: "GET" });
  expect(error).toBeNull();
  expect(data).toMatchObject({ kind: "session", role: "owner", environment: "live" });
});

test("a session ends with its sign-out, at the very next call", async () => {
  const client = browserClient();
  const { data } = await client.auth.signUp({ email: "bo@example.com", password: crypto.randomUUID() });
  const token = data.session?.access_token ?? "";
  await api.database.sql("postgres")`select mailpipe.create_organization('Bo', 'bo@example.com')`;
  const ask = () => overheard(whoami, requestOf("whoami", { token }));
  expect((await ask()).status).toBe(200);
  await api.database.sql("supabase_admin")`delete from auth.sessions where user_id = ${data.user?.id ?? ""}`;
  expect((await ask()).status).toBe(401);
});
