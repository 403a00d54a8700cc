import { createHmac } from "node:crypto";
import processInbound from "../../functions/process-inbound/index.ts";
import receiveWebhook from "../../functions/receive-webhook/index.ts";
import type { Api } from "./api.ts";
import { type Answer, ask } from "./ask.ts";
import type { Connected } from "./smtp-account.ts";

/** What a provider posts; `secret` signs it, now unless `at` says when. */
export interface Posted {
  id: string;
  secret: string;
  at?: Date;
  headers?: Record<string, string>;
}

/** Posts a body to a connection as Standard Webhooks, which is also what Svix does for Resend. */
export async function post(
  connected: Connected,
  body: string | Uint8Array,
  { id, secret, at = new Date(), headers = {} }: Posted,
): Promise<Answer> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const signed = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
  const path = new URL(connected.inbound_url).pathname.replace("/functions/v1/", "");
  const type = path.includes("/mime/") ? "message/rfc822" : "application/json";
  const raw = typeof body === "string" ? body : new Uint8Array(body);
  return await ask(receiveWebhook, path, { raw, headers: { "content-type": type, ...signed, ...headers } });
}

/** Posts a raw mail with its envelope, as a customer's own mail server does. */
export async function postMail(
  connected: Connected,
  raw: string | Uint8Array,
  { id, to, from = "eve@elsewhere.example" }: { id: string; to: string; from?: string },
): Promise<Answer> {
  const headers = { "x-mailpipe-envelope-from": from, "x-mailpipe-envelope-to": to };
  return await post(connected, raw, { id, secret: connected.inbound_secret, headers });
}

/** Works through everything that is due; returns how much that was. */
export async function processAll(api: Api): Promise<number> {
  const headers = { apikey: api.secretKey };
  const { body } = await ask(processInbound, "process-inbound", { headers, body: {} });
  return Number(body.done);
}
