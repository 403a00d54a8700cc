/** Who owns the ready-made organization. */
export const OWNER_EMAIL = "owner@example.com";

interface AuthOptions {
  apiUrl: string;
  publishableKey: string;
  ownerPassword: string;
}

type Json = Record<string, unknown>;

/** Signs the owner in, and up on a first start; resolves to an access token. Rejects with what Auth answered. */
export async function ownerSession(options: AuthOptions): Promise<string> {
  return await signIn(options) ?? await signUp(options);
}

async function signIn(options: AuthOptions): Promise<string | undefined> {
  const { status, body } = await authenticate(options, "token?grant_type=password");
  return status === 400 ? undefined : accessToken(status, body);
}

async function signUp(options: AuthOptions): Promise<string> {
  const { status, body } = await authenticate(options, "signup");
  return accessToken(status, body);
}

async function authenticate({ apiUrl, publishableKey, ownerPassword }: AuthOptions, path: string) {
  const answer = await fetch(`${apiUrl}/auth/v1/${path}`, {
    method: "POST",
    headers: { apikey: publishableKey, "content-type": "application/json" },
    body: JSON.stringify({ email: OWNER_EMAIL, password: ownerPassword }),
  });
  return { status: answer.status, body: await answer.json() as Json };
}

function accessToken(status: number, body: Json): string {
  if (typeof body.access_token === "string") return body.access_token;
  throw new Error(`Auth did not sign ${OWNER_EMAIL} in: ${status} ${JSON.stringify(body)}`);
}
