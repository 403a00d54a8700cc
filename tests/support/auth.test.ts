import { Buffer } from "node:buffer";
import { AuthClient } from "@supabase/auth-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, signUp, startApi } from "./api.ts";

let api: Api;

beforeAll(async () => {
  api = await startApi("hosted");
});
afterAll(() => api.close());

function auth() {
  return new AuthClient({
    url: `${api.url}/auth/v1`,
    headers: { apikey: api.publishableKey },
    persistSession: false,
  });
}

function sessions(userId: string): Promise<{ id: string }[]> {
  return api.database.sql("postgres")<
    { id: string }[]
  >`select id from auth.sessions where user_id = ${userId}`;
}

describe("the Auth stand-in", () => {
  test("signs a user up with a confirmed address and a session the database knows", async () => {
    const { user_id, session_id } = await signUp(api, "ada@example.com");
    const [user] = await api.database.sql("postgres")`
      select email, email_confirmed_at is not null as confirmed, is_anonymous from auth.users where id = ${user_id}
    `;
    expect(user).toEqual({ email: "ada@example.com", confirmed: true, is_anonymous: false });
    expect(await sessions(user_id)).toEqual([{ id: session_id }]);
  });

  test("knows the user of a token and refuses a forged one", async () => {
    const { user_id, access_token } = await signUp(api, "grace@example.com");
    expect((await auth().getUser(access_token)).data.user?.id).toBe(user_id);
    expect((await auth().getUser(`${access_token.slice(0, -4)}AAAA`)).error?.status).toBe(403);
  });

  test("signs in with the password, renews the session and ends it on sign-out", async () => {
    const client = auth();
    const credentials = { email: "joan@example.com", password: "correct horse battery" };
    await client.signUp(credentials);
    const { data, error } = await client.signInWithPassword(credentials);
    expect(error).toBeNull();
    const renewed = await client.refreshSession();
    expect(renewed.data.session?.access_token).toBeTruthy();
    await client.signOut();
    expect(await sessions(data.user?.id ?? "")).toEqual([]);
  });

  test("claims what our functions read: subject, session, role and expiry", async () => {
    const { user_id, session_id, access_token } = await signUp(api, "mary@example.com");
    const claims = JSON.parse(Buffer.from(access_token.split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ sub: user_id, session_id, role: "authenticated", aud: "authenticated" });
    expect(claims.exp).toBeGreaterThan(claims.iat);
  });
});
