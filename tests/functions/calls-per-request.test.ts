import { Buffer } from "node:buffer";
import { randomBytes, randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import deleteData from "../../functions/delete-data/index.ts";
import invitations from "../../functions/invitations/index.ts";
import issueKey from "../../functions/issue-key/index.ts";
import deliverMail from "../../functions/deliver-mail/index.ts";
import revokeKey from "../../functions/revoke-key/index.ts";
import sendMail from "../../functions/send-mail/index.ts";
import type { EdgeFunction } from "../../shared/serve.ts";
import { loadProducts } from "../check/product.ts";
import { type Api, signUp, startApi } from "../support/api.ts";
import { ask, type Question } from "../support/ask.ts";
import { runAllDataJobs } from "../support/data-jobs.ts";
import { keepLog } from "../support/log.ts";
import { json, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";
import { foundTenant, issue, type Tenant } from "../support/tenant.ts";

/**
 * What a request costs beside the function itself, in order: calls to the database by their name, and calls to
 * anything else. One SQL call is the rule (DESIGN §5); every other line says why. A `wake` is not waited for.
 */
const expected: Record<string, { calls: string[]; why?: string }> = {
  "GET health": { calls: ["health"] },
  "GET health, with a key": { calls: ["health", "tenant_health"], why: "the figures are the tenant's" },
  "GET health, with the worker secret": { calls: ["health", "worker_health"], why: "or everybody's" },
  "GET openapi": { calls: [], why: "generated when the code was" },
  "GET whoami": { calls: ["whoami"] },
  "GET whoami, garbage key": { calls: [], why: "the checksum is enough" },
  "GET whoami, HS256 session": { calls: ["/auth/v1/user", "whoami"], why: "only Auth can check HS256" },
  "GET organizations": { calls: ["/auth/v1/user", "list_organizations"], why: "a session, HS256 here" },
  "POST organizations": { calls: ["/auth/v1/user", "create_organization"], why: "a session, HS256 here" },
  "GET list-keys": { calls: ["list_keys"] },
  "POST issue-key": { calls: ["issue_key", "wake dispatch-webhooks"], why: "key events are told at once" },
  "POST rotate-key": { calls: ["rotate_key", "wake dispatch-webhooks"], why: "key events are told at once" },
  "POST revoke-key": { calls: ["revoke_key", "wake dispatch-webhooks"], why: "key events are told at once" },
  "POST revoke-key, by a filter": {
    calls: ["revoke_keys", "wake dispatch-webhooks"],
    why: "key events are told at once",
  },
  "POST report-leaked-key": {
    calls: ["report_leaked_keys", "wake dispatch-webhooks"],
    why: "the owner is told at once",
  },
  "GET audit": { calls: ["/auth/v1/user", "list_audit"], why: "a session, HS256 here" },
  "GET audit/verify": { calls: ["/auth/v1/user", "verify_audit"], why: "a session, HS256 here" },
  "POST take-out-master-key": {
    calls: ["/auth/v1/user", "take_out_master_key"],
    why: "a session, HS256 here",
  },
  "PATCH organizations/{id}": {
    calls: ["/auth/v1/user", "update_organization"],
    why: "a session, HS256 here",
  },
  "GET members": { calls: ["/auth/v1/user", "list_members"], why: "a session, HS256 here" },
  "PATCH members/{id}": { calls: ["/auth/v1/user", "update_member"], why: "a session, HS256 here" },
  "POST members/{id}/transfer": {
    calls: ["/auth/v1/user", "transfer_ownership"],
    why: "a session, HS256 here",
  },
  "DELETE members/{id}": { calls: ["/auth/v1/user", "remove_member"], why: "a session, HS256 here" },
  "GET invitations": { calls: ["/auth/v1/user", "list_invitations"], why: "a session, HS256 here" },
  "POST invitations": { calls: ["/auth/v1/user", "create_invitation"], why: "a session, HS256 here" },
  "POST invitations/accept": { calls: ["/auth/v1/user", "accept_invitation"], why: "a session, HS256 here" },
  "DELETE invitations/{id}": {
    calls: ["/auth/v1/user", "withdraw_invitation"],
    why: "a session, HS256 here",
  },
  "GET whoami, from a browser": { calls: ["record_refusal"], why: "an exposed key is marked" },
  "GET list-keys, without the scope": {
    calls: ["list_keys", "record_refusal"],
    why: "a refusal rolls back, so its line of audit is a call of its own",
  },
  "GET mailboxes": { calls: ["list_mailboxes"] },
  "POST mailboxes": { calls: ["create_mailbox"] },
  "GET mailboxes/{id}": { calls: ["get_mailbox"] },
  "PATCH mailboxes/{id}": { calls: ["update_mailbox"] },
  "DELETE mailboxes/{id}": { calls: ["delete_mailbox"] },
  "POST webhooks": {
    calls: ["authorize", "create_webhook"],
    why: "no name is looked up for somebody who may not",
  },
  "GET webhooks": { calls: ["list_webhooks"] },
  "GET webhooks/{id}": { calls: ["get_webhook"] },
  "PATCH webhooks/{id}": { calls: ["update_webhook"] },
  "PATCH webhooks/{id}, url": {
    calls: ["authorize", "update_webhook"],
    why: "no name is looked up for somebody who may not",
  },
  "POST webhooks/{id}/test": { calls: ["test_webhook", "wake dispatch-webhooks"] },
  "POST webhooks/{id}/rotate-secret": { calls: ["rotate_webhook_secret"] },
  "DELETE webhooks/{id}": { calls: ["delete_webhook"] },
  "GET deliveries": { calls: ["list_deliveries"] },
  "GET deliveries/{id}": { calls: ["get_delivery"] },
  "GET events": { calls: ["list_events"] },
  "GET events/{id}": { calls: ["get_event"] },
  "POST replay-deliveries": { calls: ["replay_deliveries", "wake dispatch-webhooks"] },
  "POST replay-deliveries, since": { calls: ["replay_deliveries", "wake run-data-jobs"] },
  "GET webhook-stats": { calls: ["webhook_stats"] },
  "POST providers": {
    calls: ["authorize", "resend GET /domains", "create_provider"],
    why: "no connection is made for somebody who may not",
  },
  "GET providers": { calls: ["list_providers"] },
  "PATCH providers/{id}": { calls: ["update_provider"] },
  "PATCH providers/{id}, credentials": {
    calls: ["get_provider", "resend GET /domains", "update_provider"],
    why: "new credentials are tried, as their kind demands",
  },
  "DELETE providers/{id}": { calls: ["delete_provider"] },
  "POST send-mail": { calls: ["send_mail", "wake deliver-mail"] },
  "POST send-mail, with an attachment": {
    calls: ["authorize_send", "put object", "send_mail", "wake deliver-mail"],
    why: "no byte is stored for somebody who may not",
  },
  "POST send-mail, revoked key and an attachment": {
    calls: ["authorize_send", "record_refusal"],
    why: "none was; that a dead key was shown is noted behind the answer",
  },
  "POST send-mail, replayed": { calls: ["send_mail"], why: "nothing new to deliver" },
  "POST send-mail, wait": {
    calls: ["send_mail", "wake deliver-mail", "get_verdict"],
    why: "the caller wants the provider's verdict",
  },
  "GET messages": { calls: ["list_messages"] },
  "GET messages/{id}": { calls: ["get_message"] },
  "GET messages/{id}, with an attachment": { calls: ["get_message", "sign links"], why: "links that expire" },
  "POST deliver-mail": {
    calls: [
      "claim_messages",
      "begin_attempt",
      "resend POST /emails",
      "finish_message",
      "wake dispatch-webhooks",
      "claim_messages",
    ],
    why: "each attempt is on record before the provider is called; the last claim finds nothing",
  },
  "POST dispatch-webhooks": {
    calls: ["exchange_deliveries", "store_event_bodies", "exchange_deliveries", "exchange_deliveries"],
    why: "bytes are on record before any try; each exchange hands in and takes, the last finds nothing",
  },
  "POST receive-webhook/{kind}/{token}": {
    calls: ["open_connection", "put object", "store_inbound_request", "wake process-inbound"],
    why: "the provider's signature is verified before its bytes are stored, and those before the row",
  },
  "POST receive-webhook/{kind}/{token}, forged": {
    calls: ["open_connection"],
    why: "a wrong signature stores no byte",
  },
  "POST process-inbound": {
    calls: ["claim_inbound", "get object", "finish_inbound", "wake dispatch-webhooks", "claim_inbound"],
    why: "the last claim finds nothing",
  },
  "POST export-data": { calls: ["start_export", "wake run-data-jobs"] },
  "GET export-data/{id}": { calls: ["get_export"] },
  "GET export-data/{id}, ready": { calls: ["get_export", "sign links"], why: "links that expire" },
  "POST run-data-jobs": {
    calls: ["claim_data_jobs", "read_export_step", "put object", "finish_export_step", "wake run-data-jobs"],
    why: "a page is read, its part stored, and then on record; a step a call",
  },
  "POST run-data-jobs, a deletion": {
    calls: ["claim_data_jobs", "delete_step", "wake run-data-jobs"],
    why: "a step a call; objects go in the next",
  },
  "POST run-data-jobs, a replay": {
    calls: ["claim_data_jobs", "replay_step", "wake dispatch-webhooks", "wake run-data-jobs"],
    why: "a step a call, and what it queued is delivered meanwhile",
  },
  "POST delete-data": { calls: ["ask_deletion"] },
  "POST delete-data, confirmed": { calls: ["confirm_deletion", "wake run-data-jobs"] },
  "GET delete-data/{id}": { calls: ["get_deletion"] },
  "POST delete-data/{id}/undo": { calls: ["undo_deletion"] },
  "POST delete-data/receipt": { calls: ["get_receipt"] },
  "POST run-maintenance": {
    calls: ["run_maintenance", "list_orphan_objects", "wake dispatch-webhooks"],
    why: "rows and objects, and the events that told of them",
  },
};

let api: Api;
let tenant: Tenant;
let resend: ResendStandIn;
const seen: Record<string, string[]> = {};
const outgoing: Promise<Response>[] = [];

function named({ method, path, rpc }: Api["calls"][number]): string {
  if (rpc !== undefined) return rpc;
  if (path.startsWith("/storage/v1/object/sign")) return "sign links";
  if (path.startsWith("/storage/v1/object/")) return method === "GET" ? "get object" : "put object";
  return path;
}

/** Asks, and keeps what it took under `name`, whose part after a comma tells it from others of the same route. */
async function count(name: string, question: Question = {}, path = name.split(/[ ,]/)[1] ?? "") {
  const slug = path.split("/")[0] ?? "";
  const method = name.split(" ")[0] ?? "";
  const { default: fn } = await import(`../../functions/${slug}/index.ts`) as { default: EdgeFunction };
  api.calls.length = 0;
  const answer = await ask(fn, path, { token: tenant.live, method, ...question });
  // What goes on behind the answer, from the next turn on, is part of what the request took.
  await new Promise((turn) => setTimeout(turn, 0));
  await Promise.allSettled(outgoing.splice(0));
  seen[name] = api.calls.map(named);
  return answer;
}

/** A wake-up leaves through fetch for a gateway behind which no function listens. */
function watchWakeUps(): void {
  const real = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const slug = /\/functions\/v1\/([a-z-]+)$/.exec(String(input))?.[1];
    if (slug !== undefined) api.calls.push({ method: "POST", path: `wake ${slug}` });
    const answer = real(input, init);
    outgoing.push(answer);
    return answer;
  });
}

const mail = { from: "a@example.com", to: ["b@example.net"], subject: "s", text: "t" };
const attachments = [{ filename: "a.txt", content: Buffer.from("hello").toString("base64") }];
const webhook_secret = `whsec_${randomBytes(24).toString("base64")}`;
const worker = () => ({ token: api.secretKey, body: {} });

/** A request as Resend signs it. */
function signed(event: unknown, secret: string): Question {
  const raw = JSON.stringify(event);
  const [id, now] = [`msg_${randomUUID()}`, new Date()];
  return {
    raw,
    headers: {
      "content-type": "application/json",
      authorization: "",
      "svix-id": id,
      "svix-timestamp": String(Math.floor(now.getTime() / 1000)),
      "svix-signature": new Webhook(secret).sign(id, now, raw),
    },
  };
}

beforeAll(async () => {
  keepLog();
  resend = await startResend((call, response) => {
    api.calls.push({ method: call.method, path: `resend ${call.method} ${call.path}` });
    json(response, 200, call.path === "/emails" ? { id: "resend-1" } : { data: [] });
  });
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  api = await startApi();
  tenant = await foundTenant(api);
  watchWakeUps();
});

afterAll(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await resend?.close();
  await api?.close();
});

async function readersAndKeys() {
  const { body: child } = await count("POST issue-key", {
    body: { name: "x", environment: "live", scopes: ["mail:read"] },
  });
  await count("POST revoke-key", { body: { id: child["id"] } });
  await count("GET health", { headers: { authorization: "" } });
  await count("GET health, with a key", {}, "health");
  await count("GET health, with the worker secret", { token: api.secretKey }, "health");
  await count("GET openapi");
  await count("GET whoami");
  await count("GET whoami, garbage key", { token: `${tenant.live.slice(0, -1)}!` }, "whoami");
  const session = { token: tenant.owner.access_token };
  await count("GET whoami, HS256 session", session, "whoami");
  await count("GET organizations", session);
  await count("POST take-out-master-key", { ...session, body: { passphrase: "correct horse battery" } });
  await api.database.sql("postgres")`update mailpipe.settings set organization_creation = 'open'`;
  await count("POST organizations", { ...await newcomer(), body: { name: "Second" } });
  await count("GET list-keys");
  const { body: rotated } = await ask(issueKey, "issue-key", {
    token: tenant.live,
    body: { name: "x", environment: "live", scopes: ["mail:read"] },
  });
  await count("POST rotate-key", { body: { id: rotated["id"] } });
  await count(
    "POST revoke-key, by a filter",
    { body: { filter: { never_used: true }, dry_run: true } },
    "revoke-key",
  );
  await count("POST report-leaked-key", { headers: { authorization: "" }, body: { keys: ["nothing"] } });
  await count("GET audit", session);
  await count("GET audit/verify", session);
  const mine = `organizations/${tenant.organization_id}`;
  await count("PATCH organizations/{id}", { ...session, body: { sending_paused: false } }, mine);
  await count("GET whoami, from a browser", { headers: { origin: "https://app.example" } }, "whoami");
  const { key: narrow } = await issue(tenant.owner.access_token, { scopes: ["mail:read"] });
  await count("GET list-keys, without the scope", { token: narrow }, "list-keys");
}

/** An invited user joins, owns, hands ownership back and is removed. */
async function membership() {
  const owner = { token: tenant.owner.access_token };
  await count("GET invitations", owner);
  const invitation = { email: "invited@example.com", role: "admin" };
  const { body: unwanted } = await count("POST invitations", { ...owner, body: invitation });
  await count("DELETE invitations/{id}", owner, `invitations/${unwanted["id"]}`);
  const { body: wanted } = await ask(invitations, "invitations", { ...owner, body: invitation });
  const joined = { token: (await signUp(api, invitation.email)).access_token };
  await count("POST invitations/accept", { ...joined, body: { token: wanted["token"] } });
  const { body } = await count("GET members", owner);
  const [newest, oldest] = body["data"] as { id: string }[];
  await count("POST members/{id}/transfer", owner, `members/${newest?.id}/transfer`);
  await count("PATCH members/{id}", { ...joined, body: { role: "owner" } }, `members/${oldest?.id}`);
  await count("DELETE members/{id}", owner, `members/${newest?.id}`);
}

async function newcomer(): Promise<Question> {
  return { token: (await signUp(api, "newcomer@example.com")).access_token };
}

async function resources(): Promise<{ provider: string; receive: string; endpoint: string }> {
  await count("GET mailboxes");
  const { body: mailbox } = await count("POST mailboxes", { body: { address: "hello@example.com" } });
  const one = `mailboxes/${mailbox["id"]}`;
  await count("GET mailboxes/{id}", {}, one);
  await count("PATCH mailboxes/{id}", { body: { display_name: "Hello" } }, one);
  await count("DELETE mailboxes/{id}", {}, one);
  await count("GET webhooks");
  const { body: endpoint } = await count("POST webhooks", {
    body: { url: "http://127.0.0.1:9/h", events: ["*"] },
  });
  await count("GET providers");
  const { body: provider } = await count("POST providers", {
    body: { kind: "resend", name: "r", credentials: { api_key: "re_of_a_stand_in" } },
  });
  const path = `providers/${provider["id"]}`;
  await count("PATCH providers/{id}", { body: { name: "renamed" } }, path);
  await count("PATCH providers/{id}, credentials", {
    body: { credentials: { api_key: "re_of_a_stand_in", webhook_secret } },
  }, path);
  const receive = new URL(String(provider["inbound_url"])).pathname.replace("/functions/v1/", "");
  return { provider: path, receive, endpoint: `webhooks/${endpoint["id"]}` };
}

async function sending() {
  const test = { token: tenant.test };
  const keyed = { ...test, body: mail, headers: { "idempotency-key": "order-1" } };
  await count("POST send-mail", keyed);
  await count("POST send-mail, replayed", keyed, "send-mail");
  const sent = await count("POST send-mail, with an attachment", { ...test, body: { ...mail, attachments } });
  const { body } = await count("GET messages", test);
  const [, plain] = body["data"] as { id: string }[];
  await count("GET messages/{id}", test, `messages/${plain?.id}`);
  await count("GET messages/{id}, with an attachment", test, `messages/${sent.body["id"]}`);
  await count("POST send-mail, wait", { ...test, body: { ...mail, wait: true } });
  const revoked = await issue(tenant.owner.access_token);
  await ask(revokeKey, "revoke-key", { token: tenant.live, body: { id: revoked.id } });
  await count("POST send-mail, revoked key and an attachment", {
    token: revoked.key,
    body: { ...mail, attachments },
  });
  await ask(deliverMail, "deliver-mail", worker());
}

/** What a customer does with an endpoint, until it is removed. */
async function endpoints(endpoint: string) {
  await count("GET webhooks/{id}", {}, endpoint);
  await count("PATCH webhooks/{id}", { body: { description: "Hook" } }, endpoint);
  await count("PATCH webhooks/{id}, url", { body: { url: "http://127.0.0.1:9/other" } }, endpoint);
  await count("POST webhooks/{id}/rotate-secret", { body: {} }, `${endpoint}/rotate-secret`);
  const { body: tested } = await count("POST webhooks/{id}/test", {}, `${endpoint}/test`);
  await count("GET deliveries");
  await count("GET deliveries/{id}", {}, `deliveries/${tested["delivery_id"]}`);
  await count("GET events");
  await count("GET events/{id}", {}, `events/${tested["event_id"]}`);
  await count("POST replay-deliveries", { body: { delivery_id: tested["delivery_id"] } });
  const since = { endpoint_id: endpoint.split("/")[1], since: new Date(0).toISOString() };
  await count("POST replay-deliveries, since", { body: since });
  await count("POST run-data-jobs, a replay", worker());
  await count("GET webhook-stats");
  await count("DELETE webhooks/{id}", {}, endpoint);
}

/** An export, and a deletion that is undone and one that is not. */
async function leaving() {
  const { body: started } = await count("POST export-data");
  await count("GET export-data/{id}", {}, `export-data/${started["id"]}`);
  await count("POST run-data-jobs", worker());
  await runAllDataJobs(api);
  await count("GET export-data/{id}, ready", {}, `export-data/${started["id"]}`);
  const request = { what: "organization", id: tenant.organization_id };
  const { body: asked } = await count("POST delete-data", { body: request });
  await count("POST delete-data, confirmed", { body: { ...request, confirm: asked["confirm"] } });
  await count("GET delete-data/{id}", {}, `delete-data/${asked["id"]}`);
  await count("POST delete-data/{id}/undo", {}, `delete-data/${asked["id"]}/undo`);
  const receipt = { headers: { authorization: "" }, body: { confirm: asked["confirm"] } };
  await count("POST delete-data/receipt", receipt);
  const person = { what: "person", id: "nobody@example.com" };
  const { body: again } = await ask(deleteData, "delete-data", { token: tenant.live, body: person });
  await ask(deleteData, "delete-data", {
    token: tenant.live,
    body: { ...person, confirm: again["confirm"] },
  });
  await count("POST run-data-jobs, a deletion", worker());
}

async function working({ provider, receive, endpoint }: Awaited<ReturnType<typeof resources>>) {
  await ask(sendMail, "send-mail", { token: tenant.live, body: mail });
  await count("POST deliver-mail", worker());
  // Nobody waits a second for an endpoint that has failed for longer.
  await api.database.sql("postgres")`
    update mailpipe.webhook_endpoints set failing_since = now() - interval '1 hour'
  `;
  await count("POST dispatch-webhooks", worker());
  const event = {
    type: "email.delivered",
    created_at: new Date().toISOString(),
    data: { email_id: "resend-1" },
  };
  const forged = `whsec_${randomBytes(24).toString("base64")}`;
  await count("POST receive-webhook/{kind}/{token}, forged", signed(event, forged), receive);
  await count("POST receive-webhook/{kind}/{token}", signed(event, webhook_secret), receive);
  await count("POST process-inbound", worker());
  await count("POST run-maintenance", worker());
  await endpoints(endpoint);
  await count("DELETE providers/{id}", {}, provider);
}

test("a request makes one SQL call, and what makes more has a reason", async () => {
  await readersAndKeys();
  await membership();
  const made = await resources();
  await sending();
  await working(made);
  await leaving();
  const lines = Object.entries(expected).map(([name, { why }]) =>
    `${name.padEnd(46)} ${(seen[name] ?? []).join(", ").padEnd(72)} ${why ?? ""}`.trimEnd()
  );
  console.log(lines.join("\n"));
  expect(seen).toEqual(
    Object.fromEntries(Object.entries(expected).map(([name, { calls }]) => [name, calls])),
  );
});

test("every route of every function is in the table, and every line without a reason is one SQL call", async () => {
  const { products } = await loadProducts(resolve(import.meta.dirname, "../.."));
  const routes = products.flatMap((product) => product.routes.map(({ method, path }) => `${method} ${path}`));
  const counted = new Set(Object.keys(expected).map((name) => name.split(", ")[0]));
  expect([...counted].sort()).toEqual([...new Set(routes)].sort());
  const unreasoned = Object.entries(expected).filter(([, { why }]) => why === undefined);
  for (const [name, { calls }] of unreasoned) {
    expect({ name, calls: calls.filter((each) => !each.startsWith("wake ")).length }).toEqual({
      name,
      calls: 1,
    });
  }
});
