// The functions that deliver webhooks, served on loopback by a process of their own; PostgREST's stand-in is not in it.
import { createServer } from "node:http";
import dispatchWebhooks from "../../functions/dispatch-webhooks/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { call } from "../../shared/database.ts";
import { egressFetch } from "../../shared/egress.ts";
import { secretKeyHeaders } from "../../shared/environment.ts";
import { signWebhook } from "../../shared/signature.ts";
import { answerWith } from "../../supabase/local/fetch-handler.ts";
import { listen } from "../../supabase/local/ports.ts";
import { watchBackground } from "./background.ts";
import { answerAsCompanion } from "./companion.ts";
import { perSecond } from "./throughput.ts";

console.log = () => {};
const functions = { webhooks, "dispatch-webhooks": dispatchWebhooks };
const background = watchBackground();

function served(request: Request): Promise<Response> {
  const slug = new URL(request.url).pathname.split("/")[1] ?? "";
  const known = functions[slug as keyof typeof functions];
  return known?.fetch(request) ?? Promise.resolve(new Response(null, { status: 404 }));
}

const listening = listen(createServer((request, response) => answerWith(served, request, response)), 0);

async function work(): Promise<number> {
  const request = new Request("http://127.0.0.1/dispatch-webhooks", {
    method: "POST",
    headers: { ...secretKeyHeaders(), "content-type": "application/json" },
    body: "{}",
  });
  const answer = await dispatchWebhooks.fetch(request);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json() as { done: number }).done;
}

/** What a request to deliver holds when nothing of ours is around it. */
export interface Bare {
  url: string;
  body: string;
  secret: string;
  calls: number;
  lanes: number;
}

async function post({ url, body, secret }: Bare): Promise<void> {
  const id = "evt_bare";
  const signed = signWebhook({ id, timestampSeconds: Date.now() / 1000, body, secret, previousSecret: null });
  const headers = { "content-type": "application/json", "user-agent": "Mailpipe-Webhooks/1", ...signed };
  const request = { method: "POST", headers, body, deadlineMs: 15_000, maxBytes: 64 * 1024 };
  const { status } = await egressFetch(url, request);
  if (status !== 200) throw new Error(`The sink answered ${status}.`);
}

const questions = {
  port: () => listening,
  /** One wake-up; what it was too short for goes on behind it. */
  work: () => work(),
  /** Resolves when no wake-up goes on any more, nor one that it woke. */
  settled: async () => {
    while (await background.settled() > 0);
  },
  /** Bare signed requests a second. */
  bare: (asked: Bare) => perSecond(asked.calls, () => post(asked), { lanes: asked.lanes }),
  /** Milliseconds of one cheap call of a function to the database. */
  list: async (key_hash: string) => {
    const started = performance.now();
    await call("list_webhooks", { p_caller: { key_hash }, p_request: { limit: 1 } });
    return performance.now() - started;
  },
};

/** What a deliverer can be asked. */
export type Deliverer = typeof questions;

answerAsCompanion(questions);
