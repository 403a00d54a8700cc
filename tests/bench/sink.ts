// A receiver of webhooks: says when each event arrived. What is posted to /hang is taken and never answered.
import { createServer } from "node:http";
import { listen } from "../../supabase/local/ports.ts";
import { answerAsCompanion } from "./companion.ts";
import { monotonic } from "./monotonic.ts";

let requests = 0;
const arrivals = new Map<string, number>();
const waiting = new Map<string, (at: number) => void>();

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  if (request.url === "/hang") return void request.resume();
  const id = String(request.headers["webhook-id"]);
  const at = monotonic();
  requests++;
  if (!arrivals.has(id)) arrivals.set(id, at);
  waiting.get(id)?.(at);
  waiting.delete(id);
  request.resume().once("end", () => void response.writeHead(200).end("thanks"));
});
const listening = listen(server, 0);

const questions = {
  port: () => listening,
  /** How many requests arrived since this was last asked. */
  count: () => {
    const counted = requests;
    requests = 0;
    return counted;
  },
  /** When an event arrived, on the monotonic clock; answered once it has. */
  arrival: (id: string) => arrivals.get(id) ?? new Promise<number>((resolve) => waiting.set(id, resolve)),
};

/** What a sink can be asked. */
export type Sink = typeof questions;

answerAsCompanion(questions);
