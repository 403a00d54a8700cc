import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { freePort, listen } from "../../supabase/local/ports.ts";
import type { StackFile } from "../../supabase/local/stack-file.ts";

const START = fileURLToPath(new URL("../../supabase/local/start.ts", import.meta.url));

interface Run {
  process: ChildProcess;
  /** What `npm start` printed; standard error is in it. */
  printed(): string;
  file: StackFile;
}

let home: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "mailpipe-stack-"));
});
afterEach(async () => {
  for (const each of running) await end(each, "SIGKILL");
});
afterAll(() => rm(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

const dataFolder = (name: string) => join(home, name);

/** What `npm start` runs, in a process group of its own as a terminal gives it, away from the caller's stack.json. */
function launch(data: string, port: number): Pick<Run, "process" | "printed"> {
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), START], {
    cwd: home,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MAILPIPE_DATA: dataFolder(data), MAILPIPE_PORT: String(port) },
  });
  running.add(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => text += String(chunk));
  }
  child.once("close", () => running.delete(child));
  return { process: child, printed: () => text };
}

async function start(data: string, port?: number): Promise<Run> {
  const run = launch(data, port ?? await freePort(undefined));
  await expect.poll(() => run.process.exitCode !== null || run.printed().includes("Three calls"), {
    timeout: 25_000,
  })
    .toBe(true);
  expect(run.printed()).toContain("Mailpipe is up");
  const file = JSON.parse(await readFile(join(dataFolder(data), "stack.json"), "utf8")) as StackFile;
  return { ...run, file };
}

/** How a start that is refused ends: its exit code and all it printed. */
async function refusal(data: string, port: number): Promise<{ code: number; printed: string }> {
  const run = launch(data, port);
  const [code] = await once(run.process, "close") as [number];
  return { code, printed: run.printed() };
}

/** Signals the whole group, as Ctrl-C does, and waits for the end of the process itself. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  const closed = once(child, "close");
  process.kill(-(child.pid ?? 0), signal);
  return (await closed as [number | null])[0];
}

/** The process and all that descend from it, in whatever session. */
function family(root: number): number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const found = [root];
  for (const parent of found) found.push(...pairs.flatMap(([pid = 0, ppid]) => ppid === parent ? [pid] : []));
  return found;
}

function alive(pids: number[]): number[] {
  const present = new Set(
    execFileSync("ps", ["-A", "-o", "pid="], { encoding: "utf8" }).split("\n").map(Number),
  );
  return pids.filter((pid) => present.has(pid));
}

async function health({ file }: Run): Promise<number> {
  return (await fetch(`${file.functions_url}/health`)).status;
}

function whoami({ file }: Run, credential: string): Promise<Response> {
  return fetch(`${file.functions_url}/whoami`, { headers: { authorization: `Bearer ${credential}` } });
}

/** From now on a job is due a second after it was made, when the wake-up of its request has come and gone. */
async function postponeJobs(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1 });
  await sql.unsafe(`
    create function public.postpone()
    returns trigger
    language plpgsql
    as $$ begin new.due_at := new.due_at + interval '1 second'; return new; end; $$;
    create trigger postpone before insert on mailpipe.jobs for each row execute function public.postpone();
  `).finally(() => sql.end());
}

describe("npm start", () => {
  it("gives a stack that mail flows through, ends without a trace, and starts again on the same data", async () => {
    const first = await start("one");
    expect(await health(first)).toBe(200);
    expect(Object.keys(first.file)).toEqual([
      ...["api_url", "functions_url", "db_url", "publishable_key", "secret_key", "organization_id", "keys"],
      ...["owner", "from", "mailbox", "inbound_url", "inbound_secret", "smtp", "mail_url"],
    ]);
    expect(first.printed()).toContain(first.file.keys.test);
    expect(first.printed()).not.toContain(first.file.keys.live);
    for (const folder of [dataFolder("one"), join(home, ".mailpipe")]) {
      expect((await stat(join(folder, "stack.json"))).mode & 0o777).toBe(0o600);
    }

    const processes = family(first.process.pid ?? 0);
    expect(processes.length).toBeGreaterThan(4);
    expect(await end(first.process, "SIGINT")).toBe(0);
    expect(alive(processes)).toEqual([]);
    expect(existsSync(join(dataFolder("one"), "stack.json"))).toBe(false);

    const second = await start("one");
    const { keys, organization_id } = first.file;
    expect(second.file).toMatchObject({ keys, organization_id });
    for (const credential of [keys.live, keys.test, second.file.owner.access_token]) {
      expect(await (await whoami(second, credential)).json()).toMatchObject({ organization_id });
    }
  });

  it("delivers by the clock alone what the sender's own wake-up did not", async () => {
    const { file } = await start("one");
    await postponeJobs(file.db_url);
    const answer = await fetch(`${file.functions_url}/send-mail`, {
      method: "POST",
      headers: { authorization: `Bearer ${file.keys.live}`, "content-type": "application/json" },
      body: JSON.stringify({ from: file.from, to: ["you@example.net"], subject: "Later", text: "x" }),
    });
    expect(answer.status).toBe(202);
    const subjects = async () => {
      const { data } = await (await fetch(file.mail_url)).json() as { data: { subject: string }[] };
      return data.map(({ subject }) => subject);
    };
    await expect.poll(subjects, { timeout: 15_000, interval: 250 }).toContain("Later");
  });

  it("heals itself after kill -9", async () => {
    const killed = await start("one");
    const processes = family(killed.process.pid ?? 0);
    await end(killed.process, "SIGKILL");
    const healed = await start("one");
    expect(await health(healed)).toBe(200);
    expect(healed.file.organization_id).toBe(killed.file.organization_id);
    expect(alive(processes)).toEqual([]);
  });

  it("runs two stacks side by side, and refuses a third on the data of one", async () => {
    const [one, two] = await Promise.all([start("one"), start("two")]);
    expect(await Promise.all([health(one), health(two)])).toEqual([200, 200]);
    expect(one.file.organization_id).not.toBe(two.file.organization_id);
    expect((await whoami(two, one.file.keys.live)).status).toBe(401);

    const third = await refusal("one", await freePort(undefined));
    expect(third).toMatchObject({
      code: 1,
      printed: expect.stringMatching(/^The data folder .+ is in use .+\n$/),
    });
    expect(await health(one)).toBe(200);
  });

  it("says in one sentence that a port is in use, and that the data is another version's", async () => {
    const other = createServer();
    const port = await listen(other, 0);
    expect(await refusal("one", port)).toEqual({
      code: 1,
      printed: `Port ${port} is in use: stop what listens there, or set MAILPIPE_PORT to another port.\n`,
    });
    other.close();

    await writeFile(join(dataFolder("one"), "migrations.json"), '{ "0_of_another_version.sql": "" }');
    const refused = await refusal("one", port);
    expect(refused).toMatchObject({
      code: 1,
      printed: expect.stringMatching(/^The data folder .+ was made by .+\n$/),
    });
  });
});
