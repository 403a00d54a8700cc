import { Buffer } from "node:buffer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, startApi } from "../support/api.ts";
import { ask, type Question } from "../support/ask.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";
import type { EdgeFunction } from "../../shared/serve.ts";

/**
 * What a request costs beside the function itself: calls to the database and to anything else, in order.
 * One is the rule (DESIGN §5); every other line says why. The wake-up of a worker follows the answer and is not
 * counted.
 */
const expected: Record<string, { calls: string[]; why?: string }> = {
  "GET health": { calls: ["health"] },
  "GET health, with a key": { calls: ["health", "tenant_health"], why: "the figures are the tenant's" },
  "GET openapi": { calls: [], why: "generated when the code was" },
  "GET whoami": { calls: ["whoami"] },
  "GET whoami, garbage key": { calls: [], why: "the checksum is enough" },
  "GET whoami, HS256 session": { calls: ["/auth/v1/user", "whoami"], why: "only Auth can check HS256" },
  "GET list-keys": { calls: ["list_keys"] },
  "POST issue-key": { calls: ["issue_key"] },
  "POST revoke-key": { calls: ["revoke_key"] },
  "GET mailboxes": { calls: ["list_mailboxes"] },
  "POST mailboxes": { calls: ["create_mailbox"] },
  "POST webhooks": {
    calls: ["authorize", "create_webhook"],
    why: "no name is looked up for somebody who may not",
  },
  "GET webhooks": { calls: ["list_webhooks"] },
  "POST providers": {
    calls: ["authorize", "create_provider"],
    why: "no connection is made for somebody who may not",
  },
  "GET providers": { calls: ["list_providers"] },
  "POST send-mail": { calls: ["send_mail"] },
  "POST send-mail, with an attachment": {
    calls: ["authorize_send", "put object", "send_mail"],
    why: "no byte is stored for somebody who may not",
  },
  "POST send-mail, revoked key and an attachment": {
    calls: ["authorize_send"],
    why: "and none was",
  },
  "GET messages": { calls: ["list_messages"] },
  "GET messages/{id}": { calls: ["get_message"] },
  "GET messages/{id}, with an attachment": { calls: ["get_message", "sign links"], why: "links that expire" },
};

let api: Api;
let tenant: Tenant;
let resend: ResendStandIn;
const seen: Record<string, string[]> = {};

function named({ method, path, rpc }: Api["calls"][number]): string {
  if (rpc !== undefined) return rpc;
  if (path.startsWith("/storage/v1/object/sign")) return "sign links";
  if (path.startsWith("/storage/v1/object/")) return method === "GET" ? "get object" : "put object";
  return path;
}

async function count(name: string, question: Question, path = name.split(/[ ,]/)[1] ?? "") {
  const slug = path.split("/")[0] ?? "";
  const { default: fn } = await import(`../../functions/${slug}/index.ts`) as { default: EdgeFunction };
  api.calls.length = 0;
  const answer = await ask(fn, path, { token: tenant.live, ...question });
  seen[name] = api.calls.map(named);
  return answer;
}

const mail = { from: "a@example.com", to: ["b@example.net"], subject: "s", text: "t" };
const attachments = [{ filename: "a.txt", content: Buffer.from("hello").toString("base64") }];

beforeAll(async () => {
  resend = await startResend((_, response) => json(response, 200, { data: [] }));
  process.env["MAILPIPE_PROVIDER_URL_RESEND"] = resend.url;
  process.env["MAILPIPE_EGRESS_ALLOW"] = "127.0.0.0/8";
  api = await startApi();
  tenant = await foundTenant(api);
});

afterAll(async () => {
  delete process.env["MAILPIPE_PROVIDER_URL_RESEND"];
  delete process.env["MAILPIPE_EGRESS_ALLOW"];
  await resend?.close();
  await api?.close();
});

test("a request makes one SQL call, and what makes more has a reason", async () => {
  const { body: child } = await count("POST issue-key", {
    body: { name: "x", environment: "live", scopes: ["mail:read"] },
  });
  await count("POST revoke-key", { body: { id: child["id"] } });
  await count("GET health", { headers: { authorization: "" } });
  await count("GET health, with a key", {}, "health");
  await count("GET openapi", {});
  await count("GET whoami", {});
  await count("GET whoami, garbage key", { token: `${tenant.live.slice(0, -1)}!` }, "whoami");
  await count("GET whoami, HS256 session", { token: tenant.owner.access_token }, "whoami");
  await count("GET list-keys", {});
  await count("GET mailboxes", {});
  await count("POST mailboxes", { body: { address: "hello@example.com" } });
  await count("GET webhooks", {});
  await count("POST webhooks", { body: { url: "http://127.0.0.1:9/h", events: ["*"] } });
  await count("GET providers", {});
  await count("POST providers", {
    body: { kind: "resend", name: "r", credentials: { api_key: "re_stand_in" } },
  });
  await count("POST send-mail", { token: tenant.test, body: mail });
  const sent = await count("POST send-mail, with an attachment", {
    token: tenant.test,
    body: { ...mail, attachments },
  });
  const { body } = await count("GET messages", { token: tenant.test });
  const [, plain] = body["data"] as { id: string }[];
  await count("GET messages/{id}", { token: tenant.test }, `messages/${plain?.id}`);
  await count("GET messages/{id}, with an attachment", { token: tenant.test }, `messages/${sent.body["id"]}`);
  const revoked = await issue(tenant.owner.access_token);
  await api.database.sql(
    "postgres",
  )`update mailpipe.api_keys set revoked_at = mailpipe.clock() where id = ${revoked.id}`;
  await count("POST send-mail, revoked key and an attachment", {
    token: revoked.key,
    body: { ...mail, attachments },
  });

  const lines = Object.entries(expected).map(([name, { why }]) =>
    `${name.padEnd(48)} ${(seen[name] ?? []).join(", ").padEnd(58)} ${why ?? ""}`.trimEnd()
  );
  console.log(lines.join("\n"));
  expect(seen).toEqual(
    Object.fromEntries(Object.entries(expected).map(([name, { calls }]) => [name, calls])),
  );
});
