import { Unexpected } from "./expect.ts";
import type { StackFile } from "../stack-file.ts";

/** What came back from a function. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

/** Who calls: an API key, or the owner's session in an environment. */
export type Credential = { key: string } | { session: string; environment: "live" | "test" };

/** One call of a function; `path` as under `/functions/v1/`. */
export interface Call {
  method: "GET" | "POST" | "DELETE";
  path: string;
  as: Credential;
  body?: unknown;
  idempotencyKey?: string;
}

/** Calls a function and resolves to its answer, whatever its status. */
export async function call(
  stack: StackFile,
  { method, path, as, body, idempotencyKey }: Call,
): Promise<Answer> {
  const answer = await fetch(`${stack.functions_url}/${path}`, {
    method,
    headers: {
      ...credentialHeaders(stack, as),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() as Answer["body"] };
}

/** As `call`, and throws Unexpected on any other status than `status`. */
export async function expectCall(stack: StackFile, status: number, wanted: Call): Promise<Answer> {
  const answer = await call(stack, wanted);
  if (answer.status === status) return answer;
  const got = `${answer.status} ${JSON.stringify(answer.body)}`;
  throw new Unexpected(`expected ${wanted.method} ${wanted.path} to answer ${status}, got ${got}`);
}

/** Signs the owner in with her password; a stack that has run for an hour has outlived its printed token. */
export async function signIn({ api_url, publishable_key, owner }: StackFile): Promise<string> {
  const answer = await fetch(`${api_url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { apikey: publishable_key, "content-type": "application/json" },
    body: JSON.stringify({ email: owner.email, password: owner.password }),
  });
  const { access_token } = await answer.json() as { access_token?: string };
  if (access_token !== undefined) return access_token;
  throw new Unexpected(`expected Auth to sign ${owner.email} in, got ${answer.status}`);
}

function credentialHeaders(stack: StackFile, as: Credential): Record<string, string> {
  if ("key" in as) return { authorization: `Bearer ${as.key}` };
  return {
    authorization: `Bearer ${as.session}`,
    apikey: stack.publishable_key,
    "x-organization-id": stack.organization_id,
    "x-mailpipe-environment": as.environment,
  };
}
