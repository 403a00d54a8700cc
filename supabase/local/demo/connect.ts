import type { Demo } from "./demo.ts";
import { type Credential, expectCall, signIn } from "./calls.ts";
import { Unexpected } from "./expect.ts";
import { step } from "./step.ts";

/** What the demo made to work with. */
export interface Connection {
  owner: Credential;
  /** A live key that may send, read and manage endpoints. */
  key: { id: string; key: string };
  endpoint: { id: string; secret: string };
  /** The stack's own SMTP server: whatever else a developer connected, the demo sends nowhere else. */
  providerId: string;
}

/** The owner signs in and issues a key; the key connects a webhook endpoint. */
export async function connect(demo: Demo): Promise<Connection> {
  const { stack, tell } = demo;
  const owner = await step(tell, "Sign the owner in", async (note): Promise<Credential> => {
    note(stack.owner.email);
    return { session: await signIn(stack), environment: "live" };
  });
  const key = await step(tell, "Issue a key with the owner's session", async (note) => {
    const issued = await issueKey(demo, owner, "live");
    note(`${issued.key.slice(0, 8)}…${issued.key.slice(-4)}`);
    return issued;
  });
  const providerId = await localProvider(demo, owner);
  const endpoint = await step(tell, "Connect a webhook endpoint with the key", (note) => {
    note(demo.receiver.url);
    return connectEndpoint(demo, key);
  });
  return { owner, key, endpoint, providerId };
}

/** Issues a key for the demo; throws Unexpected unless it is one. */
export async function issueKey(
  { stack }: Demo,
  as: Credential,
  environment: "live" | "test",
): Promise<{ id: string; key: string }> {
  const scopes = ["mail:send", "mail:read", "webhooks:read", "webhooks:write"];
  const { body } = await expectCall(stack, 201, {
    method: "POST",
    path: "issue-key",
    as,
    body: { name: "Demo", environment, scopes },
  });
  const key = String(body["key"]);
  if (new RegExp(`^mp_${environment}_[A-Za-z0-9]{38}$`).test(key)) return { id: String(body["id"]), key };
  throw new Unexpected(
    `expected a key mp_${environment}_ with 38 more characters, got ${key.length} characters`,
  );
}

async function connectEndpoint(
  { stack, receiver }: Demo,
  { key }: { key: string },
): Promise<Connection["endpoint"]> {
  const { body } = await expectCall(stack, 201, {
    method: "POST",
    path: "webhooks",
    as: { key },
    body: { url: receiver.url, events: ["email.sent", "email.received"], description: "Demo" },
  });
  return { id: String(body["id"]), secret: String(body["secret"]) };
}

async function localProvider({ stack }: Demo, as: Credential): Promise<string> {
  const { body } = await expectCall(stack, 200, { method: "GET", path: "providers?limit=100", as });
  const found = (body["data"] as { id: string; kind: string; name: string }[])
    .find(({ kind, name }) => kind === "smtp" && name === "Local mail");
  if (found !== undefined) return found.id;
  throw new Unexpected("expected the stack's own provider, called Local mail, among the providers");
}
