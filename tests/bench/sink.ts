// A receiver of webhooks: says when each event arrived. What is posted to /hang is taken and never answered.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { listen } from "../../supabase/local/ports.ts";
import { answerAsCompanion } from "./companion.ts";
import { monotonic } from "./monotonic.ts";

let requests = 0;
const arrivals = new Map<string, number>();
const waiting = new Map<string, (at: number) => void>();

function receive(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/hang") return void request.resume();
  const id = String(request.headers["webhook-id"]);
  const at = monotonic();
  requests++;
  if (!arrivals.has(id)) arrivals.set(id, at);
  waiting.get(id)?.(at);
  waiting.delete(id);
  request.resume().once("end", () => void response.writeHead(200).end("thanks"));
}

const leaf = readFileSync(process.env["BENCH_CERTIFICATE"] ?? "");
const secure = listen(createTlsServer({ cert: leaf, key: leaf, requestTimeout: 0 }, receive), 0);
const plain = listen(createServer({ requestTimeout: 0 }, receive), 0);

const questions = {
  /** Where the sink listens, as origins. */
  origins: async () => ({
    https: `https://127.0.0.1:${await secure}`,
    http: `http://127.0.0.1:${await plain}`,
  }),
  /** How many requests arrived since this was last asked. */
  count: () => {
    const counted = requests;
    requests = 0;
    return counted;
  },
  /** When an event arrived, on the monotonic clock; answered once it has. Rejects when it does not within a minute. */
  arrival: (id: string) =>
    arrivals.get(id) ?? new Promise<number>((resolve, reject) => {
      waiting.set(id, resolve);
      setTimeout(() => reject(new Error(`${id} has not arrived.`)), 60_000).unref();
    }),
};

/** What a sink can be asked. */
export type Sink = typeof questions;

answerAsCompanion(questions);
