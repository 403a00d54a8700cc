import postgres from "postgres";
import { isDue } from "./cron-schedule.ts";

/** The stand-in for the background workers of pg_cron and pg_net (scheduler.sql has their tables). */
export interface Ticker {
  /** Begins what is due at `now`: jobs that do not still run, and requests as far as there is room. */
  tick(now: Date): Promise<void>;
  /** Resolves when everything begun so far is over. */
  settled(): Promise<void>;
}

interface Job {
  jobid: string;
  name: string;
  schedule: string;
  command: string;
}

interface QueuedRequest {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: Uint8Array<ArrayBuffer> | null;
  timeout_milliseconds: number;
}

/** Requests under way at once. pg_net takes 200 a turn; this machine also runs everything they reach. */
const REQUESTS_AT_ONCE = 10;

/** Work that was begun and not awaited; a failure becomes one line. */
class UnderWay {
  readonly #works = new Map<string, Promise<void>>();
  constructor(private readonly log: (line: string) => void) {}

  get size(): number {
    return this.#works.size;
  }

  has(id: string): boolean {
    return this.#works.has(id);
  }

  begin(id: string, what: string, work: Promise<unknown>): void {
    const over = work
      .catch((error: Error) => this.log(`${what}: ${error.message}`))
      .then(() => void this.#works.delete(id));
    this.#works.set(id, over);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#works.values());
  }
}

/**
 * A ticker over a database. `jobs` is a client of role `postgres`, which the commands run as; `requests` one of
 * the superuser, since the queue is granted to nobody. A job counts as having last run at `started`. Failures
 * are given to `log` as one line, and answers are dropped: nothing reads `net._http_response` here.
 */
export function createTicker(
  { jobs, requests, started, log }: {
    jobs: postgres.Sql;
    requests: postgres.Sql;
    started: Date;
    log(line: string): void;
  },
): Ticker {
  const lastRuns = new Map<string, Date>();
  const [running, posting] = [new UnderWay(log), new UnderWay(log)];
  return {
    async tick(now) {
      for (const job of await activeJobs(jobs)) {
        const last = lastRuns.get(job.jobid) ?? started;
        if (running.has(job.jobid) || !isTime(job, last, now, log)) continue;
        lastRuns.set(job.jobid, now);
        running.begin(job.jobid, `cron job ${job.name}`, jobs.unsafe(job.command));
      }
      for (const request of await takeRequests(requests, REQUESTS_AT_ONCE - posting.size)) {
        posting.begin(request.id, `${request.method} ${request.url}`, perform(request));
      }
    },
    async settled() {
      await Promise.all([running.settled(), posting.settled()]);
    },
  };
}

/** Ticks every second until stopped; stopping waits for statements under way, five seconds at most. */
export function startTicker(
  { jobsUrl, requestsUrl, log }: { jobsUrl: string; requestsUrl: string; log(line: string): void },
): { stop(): Promise<void> } {
  const jobs = postgres(jobsUrl, { max: 4, onnotice: () => {} });
  const requests = postgres(requestsUrl, { max: 1, onnotice: () => {} });
  const ticker = createTicker({ jobs, requests, started: new Date(), log });
  let ticking: Promise<void> | undefined;
  const timer = setInterval(() => {
    // A tick that the database holds up is not overtaken by the next.
    ticking ??= ticker.tick(new Date())
      .catch((error: Error) => log(`ticker: ${error.message}`))
      .finally(() => ticking = undefined);
  }, 1000);
  return {
    async stop() {
      clearInterval(timer);
      await ticking;
      await Promise.all([jobs.end({ timeout: 5 }), requests.end({ timeout: 5 })]);
    },
  };
}

/** pg_cron refuses a schedule it cannot read when it is made; the stand-in's table takes any. */
function isTime(job: Job, last: Date, now: Date, log: (line: string) => void): boolean {
  try {
    return isDue(job.schedule, last, now);
  } catch (error) {
    log(`cron job ${job.name}: ${(error as Error).message}`);
    return false;
  }
}

async function activeJobs(sql: postgres.Sql): Promise<Job[]> {
  return await sql<Job[]>`
    select jobid, coalesce(jobname, jobid::text) as name, schedule, command
    from cron.job
    where active
    order by jobid`;
}

/** Takes rows as pg_net does: deleted before they are performed, so a crash loses them and never doubles them. */
async function takeRequests(sql: postgres.Sql, room: number): Promise<QueuedRequest[]> {
  if (room <= 0) return [];
  return await sql<QueuedRequest[]>`
    delete from net.http_request_queue
    where id in (select id from net.http_request_queue order by id limit ${room})
    returning id, method, url, headers, body, timeout_milliseconds`;
}

async function perform({ method, url, headers, body, timeout_milliseconds }: QueuedRequest): Promise<void> {
  const signal = AbortSignal.timeout(timeout_milliseconds);
  const answer = await fetch(url, { method, headers: headers ?? {}, body, signal });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
}
