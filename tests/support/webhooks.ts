import dispatchWebhooks from "../../functions/dispatch-webhooks/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import type { Api } from "./api.ts";
import { type Answer, ask } from "./ask.ts";

/** An endpoint as it was made. */
export interface Subscribed {
  id: string;
  secret: string;
}

/** A test event and its one delivery. */
export interface Tested {
  event_id: string;
  delivery_id: string;
}

/** Subscribes a URL to every event, unless told otherwise. */
export async function subscribe(token: string, url: string, changes: object = {}): Promise<Subscribed> {
  const answer = await ask(webhooks, "webhooks", { token, body: { url, events: ["*"], ...changes } });
  if (answer.status !== 201) throw new Error(`webhooks answered ${answer.status} ${answer.text}`);
  return { id: String(answer.body.id), secret: String(answer.body.secret) };
}

/** Changes an endpoint. */
export async function changeEndpoint(token: string, id: string, body: object): Promise<Answer> {
  return await ask(webhooks, `webhooks/${id}`, { token, method: "PATCH", body });
}

/** Has an endpoint sent a test event; it waits until somebody dispatches. */
export async function sendTest(token: string, id: string): Promise<Tested> {
  const answer = await ask(webhooks, `webhooks/${id}/test`, { token, method: "POST" });
  if (answer.status !== 202) throw new Error(`webhooks/${id}/test answered ${answer.status} ${answer.text}`);
  return { event_id: String(answer.body.event_id), delivery_id: String(answer.body.delivery_id) };
}

/** Delivers what is due; how many tries that took. */
export async function dispatch(api: Api): Promise<number> {
  const question = { headers: { apikey: api.secretKey }, body: {} };
  const answer = await ask(dispatchWebhooks, "dispatch-webhooks", question);
  if (answer.status !== 200) throw new Error(`dispatch-webhooks answered ${answer.status} ${answer.text}`);
  return Number(answer.body.done);
}
