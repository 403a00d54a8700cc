import { expect } from "vitest";
import webhooks from "../../functions/webhooks/index.ts";
import type { Caller } from "../../shared/credentials.ts";
import { call } from "../../shared/database.ts";
import { deliverInRounds } from "../../shared/delivery-rounds.ts";
import type { DeliveryResult } from "../../shared/dispatching.ts";
import { type DeliveryWork, Exchanged } from "../../shared/schemas/outgoing.ts";
import { type Api, startApi } from "./api.ts";
import { ask } from "./ask.ts";
import { type StandIn, type StandInCall, startStandIn } from "./stand-in.ts";
import { foundTenant, type Tenant } from "./tenant.ts";

/** A receiver of webhooks, which answers each path as it is told and counts what it has in hand. */
export interface Sink extends StandIn {
  /** What a path answers; 200 where nothing is said. */
  answers: Map<string, Answering>;
  /** Requests a path has in hand now, and the most it ever had. */
  underWay: Map<string, number>;
  most: Map<string, number>;
  /** Requests of a path, oldest first. */
  to(path: string): StandInCall[];
  forget(): void;
}

export type Answering = (
  call: StandInCall,
  response: Parameters<Parameters<typeof startStandIn>[0]>[1],
) => void;

/** A delivery as the database knows it. */
export interface Known {
  path: string;
  event_id: string;
  state: string;
  attempts: number;
  failure: string | null;
  /** Tries that began and of which nobody wrote how they ended. */
  unfinished: number;
}

export const worker: Caller = { project_secret: true };

/** Hands in results and claims up to `room` deliveries from each lane, as a worker does. */
export async function exchange(p_results: DeliveryResult[] = [], room = 32): Promise<DeliveryWork[]> {
  const args = { p_caller: worker, p_results, p_first: room, p_retry: room };
  return Exchanged.parse(await call("exchange_deliveries", args)).deliveries;
}

/** What a worker found out about a claim of its own: that it succeeded, unless `changes` say otherwise. */
export function found(work: DeliveryWork | undefined, changes: Partial<DeliveryResult> = {}): DeliveryResult {
  return {
    job_id: work?.job_id ?? "",
    fence: work?.fence ?? 0,
    delivery_id: work?.delivery_id ?? "",
    outcome: "succeeded",
    status_code: 200,
    duration_ms: 1,
    detail: null,
    overloaded: false,
    retry_in_seconds: null,
    leave_alone_seconds: null,
    disable: null,
    ...changes,
  };
}

/** Starts a sink; the caller closes it. */
export async function startSink(): Promise<Sink> {
  const [answers, underWay, most] = [
    new Map<string, Answering>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  const standIn = await startStandIn((call, response) => {
    const { path } = call;
    const now = (underWay.get(path) ?? 0) + 1;
    underWay.set(path, now);
    most.set(path, Math.max(most.get(path) ?? 0, now));
    response.on("close", () => underWay.set(path, (underWay.get(path) ?? 1) - 1));
    const answer = answers.get(path) ?? ((_, well) => void well.writeHead(200).end());
    answer(call, response);
  });
  return {
    ...standIn,
    answers,
    underWay,
    most,
    to: (path) => standIn.calls.filter((each) => each.path === path),
    forget() {
      for (const map of [answers, underWay, most]) map.clear();
      standIn.calls.length = 0;
    },
  };
}

/** Answers with a status and nothing else. */
export const status = (code: number, headers: Record<string, string> = {}): Answering => (_, response) =>
  void response.writeHead(code, headers).end();

/** Holds requests unanswered until they are let go. */
export function holding(): { answer: Answering; held: () => number; release: (code?: number) => void } {
  const open: Parameters<Answering>[1][] = [];
  return {
    answer: (_, response) => void open.push(response),
    held: () => open.length,
    release: (code = 200) => open.splice(0).forEach((each) => void each.writeHead(code).end()),
  };
}

/** A project with one tenant, a sink, and a clock that stands still until it is moved. */
export interface Trial {
  api: Api;
  tenant: Tenant;
  sink: Sink;
  /** Makes an endpoint for everything, or as `changes` say; its id. */
  subscribe(path: string, changes?: object, token?: string): Promise<string>;
  /** Tells `count` events in one transaction. */
  emit(count?: number, of?: { tenant?: Tenant; environment?: string; data?: object }): Promise<void>;
  /** One wake-up of one worker. How many tries it handed in. */
  work(): Promise<number>;
  known(of?: Tenant): Promise<Known[]>;
  /** No endpoint, no event, nothing waiting. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const known = async (api: Api, tenant: Tenant): Promise<Known[]> => [
  ...await api.database.sql("postgres")<Known[]>`
    select
      substring(endpoint.url from '^http://[^/]+(.*)$') as path,
      delivery.event_id, delivery.state, delivery.attempts, delivery.failure,
      (
        select count(*)::int from mailpipe.attempts as attempt
        where attempt.delivery_id = delivery.id and attempt.outcome is null
      ) as unfinished
    from mailpipe.deliveries as delivery
    join mailpipe.webhook_endpoints as endpoint on endpoint.id = delivery.endpoint_id
    where delivery.organization_id = ${tenant.organization_id}
    order by 1, 2
  `,
];

/** Starts one; the file that does keeps its log and allows the sink's address to be called. */
export async function startTrial(): Promise<Trial> {
  const [api, sink] = [await startApi(), await startSink()];
  const owner = api.database.sql("postgres");
  await api.database.setClock(new Date().toISOString());
  const tenant = await foundTenant(api, "acme");
  return {
    api,
    tenant,
    sink,
    async subscribe(path, changes = {}, token = tenant.test) {
      const body = { url: sink.url + path, events: ["*"], ...changes };
      const answer = await ask(webhooks, "webhooks", { token, body });
      expect(answer.status, answer.text).toBe(201);
      return String(answer.body.id);
    },
    async emit(count = 1, { tenant: whose = tenant, environment = "test", data = {} } = {}) {
      await owner`
        select mailpipe.emit_event(
          ${whose.organization_id}, ${environment}, 'email.queued', null,
          ${owner.json(data as never)} || jsonb_build_object('n', n), true
        )
        from generate_series(1, ${count}::int) as n
      `;
    },
    work: async () => (await deliverInRounds(worker, call)).done,
    known: (of = tenant) => known(api, of),
    async clear() {
      await owner`delete from mailpipe.jobs`;
      await owner`delete from mailpipe.webhook_endpoints`;
      await owner`delete from mailpipe.events`;
      sink.forget();
    },
    async close() {
      await sink.close();
      await api.close();
    },
  };
}
