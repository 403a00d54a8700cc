import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listen } from "../../supabase/local/ports.ts";
import { createTicker, type Ticker } from "../../supabase/local/ticker.ts";
import { cloneDatabase, type TestDatabase } from "../support/database.ts";

const started = new Date("2026-11-25T12:00:00Z");
const after = (seconds: number) => new Date(started.getTime() + seconds * 1000);

let database: TestDatabase;
let receiver: Server;
let url: string;
let received: { method: string | undefined; authorization: string | undefined; body: string }[];
let lines: string[];
let ticker: Ticker;

beforeEach(async () => {
  database = await cloneDatabase("hosted_scheduler");
  received = [];
  lines = [];
  receiver = createServer(async (request, response) => {
    const { method, headers: { authorization } } = request;
    received.push({ method, authorization, body: await text(request) });
    if (request.url === "/hang") return;
    response.writeHead(request.url === "/fails" ? 500 : 200).end();
  });
  url = `http://127.0.0.1:${await listen(receiver, 0)}`;
  ticker = createTicker({
    jobs: database.sql("postgres"),
    requests: database.sql("supabase_admin"),
    started,
    log: (line) => lines.push(line),
  });
  await database.sql("postgres")`create table ran (job text, as_role text default current_user)`;
});
afterEach(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await database.close();
});

async function tick(seconds: number): Promise<void> {
  await ticker.tick(after(seconds));
  await ticker.settled();
}

function schedule(name: string, when: string, command: string) {
  return database.sql("postgres")`select cron.schedule(${name}, ${when}, ${command})`;
}

function post(path: string, timeout = 1000) {
  return database.sql("postgres")`select net.http_post(
    url => ${
    url + path
  }, body => '{"a": 1}', headers => '{"authorization": "Bearer x"}', timeout_milliseconds => ${timeout}
  )`;
}

async function ran(): Promise<unknown[]> {
  return [...await database.sql("postgres")`select job, as_role from ran order by job`];
}

describe("the stand-in for pg_cron", () => {
  it("runs a due job as the role that scheduled it, once per interval", async () => {
    await schedule("often", "5 seconds", "insert into ran values ('often')");
    await tick(4);
    expect(await ran()).toEqual([]);
    await tick(5);
    await tick(9);
    expect(await ran()).toEqual([{ job: "often", as_role: "postgres" }]);
    await tick(10);
    expect(await ran()).toHaveLength(2);
  });

  it("leaves jobs alone that are not active", async () => {
    await schedule("paused", "1 seconds", "insert into ran values ('paused')");
    await database.sql("supabase_admin")`update cron.job set active = false`;
    await tick(10);
    expect(await ran()).toEqual([]);
  });

  it("does not begin a job whose last run goes on", async () => {
    const holder = await database.sql("supabase_admin").reserve();
    await holder`select pg_advisory_lock(1)`;
    await schedule("slow", "1 seconds", "select pg_advisory_xact_lock(1); insert into ran values ('slow')");
    await ticker.tick(after(1));
    await ticker.tick(after(2));
    await holder`select pg_advisory_unlock(1)`;
    holder.release();
    await ticker.settled();
    expect(await ran()).toHaveLength(1);
  });

  it("writes a failing job and an unknown schedule down, and goes on with the others", async () => {
    await schedule("bad", "1 seconds", "select 1 / 0");
    await schedule("odd", "5 minutes", "insert into ran values ('odd')");
    await schedule("good", "1 seconds", "insert into ran values ('good')");
    await tick(1);
    expect(lines).toEqual([
      'cron job odd: "5 minutes" is not a schedule of pg_cron.',
      "cron job bad: division by zero",
    ]);
    expect(await ran()).toHaveLength(1);
  });
});

describe("the stand-in for pg_net", () => {
  it("performs a request that was committed, once", async () => {
    await post("/");
    await tick(1);
    await tick(2);
    expect(received).toEqual([{ method: "POST", authorization: "Bearer x", body: '{"a": 1}' }]);
  });

  it("performs what a job asked for at a later tick", async () => {
    await schedule("wake", "5 seconds", `select net.http_post(url => '${url}/')`);
    await tick(5);
    await tick(6);
    expect(received).toHaveLength(1);
  });

  it("gives up at the request's own timeout, writes failures down, and goes on", async () => {
    await post("/hang", 50);
    await post("/fails");
    await post("/");
    await tick(1);
    expect(received).toHaveLength(3);
    expect(lines.sort()).toEqual([
      `POST ${url}/fails: answered 500`,
      `POST ${url}/hang: The operation was aborted due to timeout`,
    ]);
  });

  it("has at most ten requests under way", async () => {
    for (let index = 0; index < 12; index++) await post("/hang", 200);
    await ticker.tick(after(1));
    await ticker.tick(after(2));
    const [{ waiting } = {}] = await database.sql("supabase_admin")`
      select count(*)::int as waiting from net.http_request_queue`;
    expect(waiting).toBe(2);
    await ticker.settled();
    await tick(3);
    expect(received).toHaveLength(12);
  });
});
