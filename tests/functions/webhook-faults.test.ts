import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { egressFetch } from "../../shared/egress.ts";
import { keepLog } from "../support/log.ts";
import { type Doom, fates, type Life, live, mortally } from "../support/mortal-worker.ts";
import {
  type Answering,
  holding,
  type Known,
  startTrial,
  status,
  type Trial,
} from "../support/webhook-trial.ts";

vi.mock("../../shared/egress.ts", { spy: true });

let trial: Trial;
const table: string[] = [];

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  const real = await vi.importActual<typeof import("../../shared/egress.ts")>("../../shared/egress.ts");
  vi.mocked(egressFetch).mockImplementation(mortally(real.egressFetch));
  trial = await startTrial();
});
afterAll(async () => {
  await trial.close();
  vi.unstubAllEnvs();
  process.stdout.write(`${["", ...table, ""].join("\n")}\n`);
});
beforeEach(() => trial.clear());

const ids = () => new Set(trial.sink.calls.map(({ headers }) => headers["webhook-id"]));
const requestsOf = ({ path, event_id }: Known) =>
  trial.sink.to(path).filter(({ headers }) => headers["webhook-id"] === event_id);
const known = () => trial.known();

function states(deliveries: Known[]): string {
  const said = deliveries.map(({ state, failure }) => failure === null ? state : `${state} (${failure})`);
  return [...new Set(said)].sort().map((each) => `${said.filter((other) => other === each).length} ${each}`)
    .join(", ");
}

async function note(fault: string): Promise<void> {
  const deliveries = await known();
  const cells = [
    fault.padEnd(58),
    String(deliveries.length).padStart(10),
    String(trial.sink.calls.length).padStart(9),
    String(ids().size).padStart(12),
    states(deliveries),
  ];
  if (table.length === 0) {
    const names = ["fault".padEnd(58), "deliveries", " requests", " webhook-ids", "state afterwards"];
    table.push(names.join(" | "));
  }
  table.push(cells.join(" | "));
}

/** Other workers go on, a lease later, until nothing waits. */
async function finish(): Promise<void> {
  for (let round = 0; round < 8; round++) {
    await trial.api.database.advanceClock("60 seconds");
    expect((await live()).ended).toEqual(expect.any(Number));
  }
}

/** One id an event, and under it the same bytes on every try. */
function expectConstant(events: number): void {
  const bytes = new Set(trial.sink.calls.map(({ headers, body }) => `${headers["webhook-id"]} ${body}`));
  expect([ids().size, bytes.size]).toEqual([events, events]);
}

/** Two events to three endpoints, of which one fails the first time; something happens to the worker. */
async function struck(doom: Doom): Promise<Life> {
  await trial.clear();
  for (const path of ["/a", "/b", "/c"]) await trial.subscribe(path);
  const failed = new Set<string | undefined>();
  trial.sink.answers.set("/c", (call, response) => {
    const id = call.headers["webhook-id"];
    status(failed.has(id) ? 200 : 404)(call, response);
    failed.add(id);
  });
  await trial.emit(2);
  const life = await live(doom);
  const before = await known();
  // A try that throws is nobody's but its own: what the others came to was handed in.
  if (/^failed .* egress/.test(life.struck ?? "")) {
    expect(before.filter(({ unfinished }) => unfinished > 0), `${life.struck}`).toHaveLength(1);
  }
  const asked = new Map(before.map((each) => [each, requestsOf(each).length]));
  // Nobody else takes what it holds while its lease runs.
  await live();
  for (const each of before.filter(({ unfinished }) => unfinished > 0)) {
    expect(requestsOf(each), `${life.struck} ${each.path}`).toHaveLength(asked.get(each) ?? 0);
  }
  await finish();
  for (const each of before) {
    const needed = each.path === "/c" ? 2 : 1;
    const requests = requestsOf(each).length;
    expect(each.unfinished).toBeLessThanOrEqual(1);
    expect(requests, `${life.struck} ${each.path}`).toBeGreaterThanOrEqual(needed);
    expect(requests, `${life.struck} ${each.path}`).toBeLessThanOrEqual(needed + each.unfinished);
  }
  expect((await known()).map(({ state }) => state), `${life.struck}`).toEqual(Array(6).fill("succeeded"));
  expectConstant(2);
  return life;
}

describe("a worker that is struck at any await", () => {
  test.each(fates)(
    "%s: every endpoint gets every event, and only what was in its hands twice",
    async (fate) => {
      let reached = true;
      let n = 0;
      while (reached) {
        n++;
        const life = await struck((step) => step === n ? fate : null);
        reached = life.struck !== null;
        await note(life.struck ?? `${fate} an await after the last (${n})`);
        if (reached) expect(life.died).toBe(fate.startsWith("dead"));
      }
      // Claims, bytes, six calls, results: none of them was skipped.
      expect(n).toBeGreaterThan(9);
    },
    120_000,
  );
});

describe("one event to twenty endpoints, and a crash after seven", () => {
  const paths = Array.from({ length: 20 }, (_, each) => `/${String(each).padStart(2, "0")}`);

  /** Seven answer at once, and the others when all is over. */
  async function crash(): Promise<void> {
    const gate = holding();
    for (const path of paths) await trial.subscribe(path);
    for (const path of paths.slice(7)) trial.sink.answers.set(path, gate.answer);
    await trial.emit();
    let succeeded = 0;
    const watch = setInterval(() => {
      void known().then((all) => succeeded = all.filter(({ state }) => state === "succeeded").length);
    }, 5);
    const dying = live(() => succeeded === 7 ? "dead before" : null);
    await vi.waitUntil(() => gate.held() === 13 && trial.sink.calls.length === 20);
    await vi.waitUntil(() => succeeded === 7).finally(() => clearInterval(watch));
    gate.release();
    trial.sink.answers.clear();
    expect((await dying).died).toBe(true);
  }

  test("the rest is delivered, and the seven get no eighth", async () => {
    await crash();
    await finish();
    const requests = (await known()).map((each) => requestsOf(each).length);
    expect(requests.slice(0, 7)).toEqual(Array(7).fill(1));
    // Their first was under way at the crash.
    expect(requests.slice(7)).toEqual(Array(13).fill(2));
    expect((await known()).map(({ state }) => state)).toEqual(Array(20).fill("succeeded"));
    expectConstant(1);
    await note("20 endpoints, crash after 7 were handed in");
  });

  test("which died with all seven in its hands repeats them once", async () => {
    for (const path of paths) await trial.subscribe(path);
    await trial.emit();
    let answered = 0;
    await live((_, what) => what === "egress" && ++answered > 7 ? "dead before" : null);
    expect(trial.sink.calls).toHaveLength(7);
    await finish();
    const requests = (await known()).map((each) => requestsOf(each).length);
    expect(requests.filter((each) => each === 2)).toHaveLength(7);
    expect(requests.filter((each) => each === 1)).toHaveLength(13);
    expectConstant(1);
    await note("20 endpoints, crash after 7 calls, none handed in");
  });
});

describe("a receiver", () => {
  /** One event to one endpoint that answers so once, and 200 ever after. */
  async function once(answer: Answering): Promise<Known | undefined> {
    await trial.subscribe("/hook");
    let answered = false;
    trial.sink.answers.set("/hook", (call, response) => {
      (answered ? status(200) : answer)(call, response);
      answered = true;
    });
    await trial.emit();
    await live();
    return (await known())[0];
  }

  test("whose connection is lost behind its 200 may get the event again, under the same id", async () => {
    const first = await once((_, response) => {
      response.writeHead(200, { "content-length": "10" }).write("12345", () => response.destroy());
    });
    expect(first).toMatchObject({ state: "pending", failure: "reset" });
    await finish();
    expect(trial.sink.calls).toHaveLength(2);
    expectConstant(1);
    expect(await known()).toMatchObject([{ state: "succeeded", attempts: 2 }]);
    await note("200, and the connection resets");
  });

  test.each([200, 201, 202, 204, 206])("that answers %i has taken it", async (code) => {
    expect(await once(status(code))).toMatchObject({ state: "succeeded", attempts: 1, failure: null });
    await finish();
    expect(trial.sink.calls).toHaveLength(1);
    await note(`answers ${code}`);
  });

  test.each([
    [301, "redirect"],
    [302, "redirect"],
    [307, "redirect"],
    [308, "redirect"],
    [404, "http_error"],
    [429, "http_error"],
    [500, "http_error"],
  ])("that answers %i gets it again from us and from nobody else", async (code, failure) => {
    const elsewhere = { location: `${trial.sink.url}/elsewhere` };
    expect(await once(status(code, elsewhere))).toMatchObject({ state: "pending", attempts: 1, failure });
    await finish();
    expect(trial.sink.calls.map(({ path }) => path)).toEqual(["/hook", "/hook"]);
    expectConstant(1);
    expect(await known()).toMatchObject([{ state: "succeeded", attempts: 2, failure: null }]);
    await note(`answers ${code}, then 200`);
  });

  test.each<[string, Answering, Partial<Known>]>([
    ["410", status(410), { state: "failed", failure: "http_error" }],
    ["200 and webhook-delivery: disable", status(200, { "webhook-delivery": "disable" }), {
      state: "succeeded",
    }],
  ])("that answers %s is not called again", async (name, answer, left) => {
    expect(await once(answer)).toMatchObject({ ...left, attempts: 1 });
    await trial.emit();
    await finish();
    expect(trial.sink.calls).toHaveLength(1);
    await note(`answers ${name}`);
  });

  test("of an event of 5 MB gets a part of it, and where the whole is, the same on every try", async () => {
    await trial.subscribe("/hook");
    trial.sink.answers.set("/hook", status(404));
    await trial.emit(1, { data: { subject: "s", text: "ä".repeat(2_500_000) } });
    await live();
    trial.sink.answers.clear();
    await finish();
    const [first] = trial.sink.calls;
    const { id, data } = JSON.parse(first?.body ?? "") as { id: string; data: Record<string, unknown> };
    expect(data).toEqual({
      n: 1,
      subject: "s",
      truncated: true,
      url: expect.stringContaining(`/events/${id}`),
    });
    expect(trial.sink.calls).toHaveLength(2);
    expectConstant(1);
    await note("an event of 5 MB, 404, then 200");
  });
});

test("10,000 events for a dead endpoint are none in the way of a healthy one's", async () => {
  const endpoint = await trial.subscribe("/dead", { events: ["email.queued"] });
  trial.sink.answers.set("/dead", status(503));
  await trial.emit();
  // As emit_event writes them, all at once.
  await trial.api.database.sql("postgres")`
    with told as (
      insert into mailpipe.events (organization_id, environment, type, data)
      select ${trial.tenant.organization_id}, 'test', 'email.queued', '{}' from generate_series(2, 10000)
      returning organization_id, environment, id
    ), fanned_out as (
      insert into mailpipe.deliveries (organization_id, environment, event_id, endpoint_id)
      select organization_id, environment, id, ${endpoint} from told
      returning organization_id, environment, id, endpoint_id
    )
    insert into mailpipe.jobs (organization_id, environment, kind, subject_id, group_id)
    select organization_id, environment, 'dispatch_delivery', id, endpoint_id from fanned_out
  `;
  await live();
  await trial.api.database.advanceClock("1 hour");
  await trial.subscribe("/healthy");
  await trial.emit();
  const before = trial.sink.calls.length;
  await live();
  // In the very first claim, beside one first try and one retry of the dead one.
  const asked = trial.sink.calls.slice(before).map(({ path }) => path);
  expect(asked.sort()).toEqual(["/dead", "/dead", "/healthy"]);
  await note("10,000 events for a dead endpoint beside a healthy one");
}, 60_000);
