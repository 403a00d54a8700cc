import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { freePort, listen } from "../../supabase/local/ports.ts";
import { databaseUrl, type PostgresServer, startPostgres } from "../../supabase/local/postgres.ts";

const dataDir = join(tmpdir(), `mailpipe-postgres-${randomUUID()}`);
let server: PostgresServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

async function start(): Promise<PostgresServer> {
  server = await startPostgres({ dataDir, port: await freePort(undefined), durable: false });
  return server;
}

async function ask(url: string, question: string): Promise<string> {
  const sql = postgres(url, { max: 1 });
  try {
    const [row] = await sql.unsafe<{ answer: string }[]>(question);
    return row?.answer ?? "";
  } finally {
    await sql.end();
  }
}

/** A process of its own that starts the server on our folder and can be killed without ado. */
async function startElsewhere(): Promise<ChildProcess> {
  const module = new URL("../../supabase/local/postgres.ts", import.meta.url).href;
  const options = JSON.stringify({ dataDir, port: await freePort(undefined), durable: false });
  const script = `const { startPostgres } = await import("${module}");
    await startPostgres(${options}); process.send("up"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "message");
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

describe("the local PostgreSQL", () => {
  test("is version 17, on loopback TCP only, and keeps its data across starts", async () => {
    const first = await start();
    const admin = first.url("supabase_admin", "postgres");
    expect(await ask(admin, "select current_setting('server_version_num') as answer")).toMatch(/^17/);
    expect(await ask(admin, "select current_setting('listen_addresses') as answer")).toBe("127.0.0.1");
    expect(await ask(admin, "select current_setting('unix_socket_directories') as answer")).toBe("");
    await ask(admin, "create table kept (id int)");
    await first.stop();
    const again = (await start()).url("supabase_admin", "postgres");
    expect(await ask(again, "select count(*)::text as answer from kept")).toBe("0");
  });

  test("asks for the password of this data folder, which only its owner can read", async () => {
    const { port, passwords } = await start();
    const wrong = databaseUrl(port, "supabase_admin", { ...passwords, supabase_admin: "guess" }, "postgres");
    await expect(ask(wrong, "select 'in' as answer")).rejects.toMatchObject({ code: "28P01" });
    expect(statSync(join(dataDir, "passwords.json")).mode & 0o777).toBe(0o600);
  });

  test("hands over what it logs line by line, however long the line", async () => {
    const lines: string[] = [];
    const log = (line: string) => void lines.push(line);
    server = await startPostgres({ dataDir, port: await freePort(undefined), durable: false, log });
    const long = "x".repeat(300_000);
    await expect(ask(server.url("supabase_admin", "postgres"), `select '${long}'::int as answer`)).rejects
      .toThrow();
    await server.stop();
    expect(lines.filter((line) => line.endsWith(`STATEMENT:  select '${long}'::int as answer`))).toHaveLength(
      1,
    );
  });

  test("says in one sentence that the port is in use, and leaves no half-made folder", async () => {
    const taken = createServer();
    const port = await listen(taken, 0);
    const fresh = `${dataDir}-clash`;
    await expect(startPostgres({ dataDir: fresh, port, durable: false })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use by another program: choose another with MAILPIPE_PORT.`,
    );
    await new Promise((closed) => taken.close(closed));
    server = await startPostgres({ dataDir: fresh, port, durable: false });
    await server.stop();
    rmSync(fresh, { recursive: true });
  });

  test("says in one sentence that another version made the data folder", async () => {
    await (await start()).stop();
    const file = join(dataDir, "cluster/PG_VERSION");
    writeFileSync(file, "16\n");
    await expect(start()).rejects.toThrow(
      /was made by PostgreSQL 16 and this stack runs 17: move it away or/,
    );
    writeFileSync(file, "17\n");
  });

  test("says in one sentence that a running stack uses the data folder", async () => {
    await start();
    await expect(startPostgres({ dataDir, port: await freePort(undefined), durable: false })).rejects.toThrow(
      /is in use by a running stack \(PostgreSQL process \d+\): stop it first\.$/,
    );
  });

  test("ends with the process that started it, even when that one is killed with -9", async () => {
    await killed(await startElsewhere());
    await expect(start()).resolves.toBeDefined();
  });

  test.runIf(process.platform === "linux")("heals when its keeper was killed with -9 too", async () => {
    const starter = await startElsewhere();
    const postmaster = readFileSync(join(dataDir, "cluster/postmaster.pid"), "utf8").split("\n")[0] ?? "";
    const keeper = readFileSync(`/proc/${postmaster}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1];
    process.kill(Number(keeper), "SIGKILL");
    await killed(starter);
    expect(() => process.kill(Number(postmaster), 0)).not.toThrow();
    await expect(start()).resolves.toBeDefined();
  });

  test("starts although its pid file names a process that is something else", async () => {
    await (await start()).stop();
    writeFileSync(join(dataDir, "cluster/postmaster.pid"), `${process.pid}\n`);
    await expect(start()).resolves.toBeDefined();
  });
});
