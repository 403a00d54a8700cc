import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FunctionsHost, type FunctionsOptions, startFunctions } from "../../supabase/local/functions.ts";
import { makeProject, type Project } from "./project.ts";

const FUNCTIONS = {
  tell: `export default { fetch: (request: Request) => Response.json({
    path: new URL(request.url).pathname,
    environment: Deno.env.toObject(),
    deno: Deno.version.deno,
  }) };`,
  lazy: `globalThis.imported = (globalThis.imported ?? 0) + 1;
    export default { fetch: () => Response.json(globalThis.imported) };`,
  broken: `import "a-package-that-is-not-mapped"; export default { fetch: () => new Response() };`,
  throws: `export default { fetch: () => { throw new Error("this one throws"); } };`,
  stray: `export default { fetch() {
    EdgeRuntime.waitUntil(Promise.reject(new Error("background work failed")));
    Promise.reject(new Error("nobody awaits this"));
    setTimeout(() => { throw new Error("thrown from a timer"); });
    return new Response("answered");
  } };`,
  mapped: `import { z } from "zod"; export default { fetch: () => new Response(typeof z.object) };`,
};

let project: Project;
let options: FunctionsOptions;
let host: FunctionsHost;

beforeAll(async () => {
  project = await makeProject(FUNCTIONS);
  options = {
    root: project.root,
    logFile: join(project.root, "functions.log"),
    cacheFolder: join(project.root, "deno"),
    environment: { SUPABASE_URL: "http://127.0.0.1:54321" },
  };
  host = await startFunctions(options);
});
afterAll(async () => {
  await host.stop();
  await project.remove();
});

function get(path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${host.port()}${path}`);
}

function log(): Promise<string> {
  return readFile(options.logFile, "utf8");
}

describe("the functions' host", () => {
  it("runs a function on the hosted version of Deno, under its slug, with the given environment alone", async () => {
    process.env.MAILPIPE_TEST_LEAK = "of the parent";
    const told = await (await get("/tell/some/path")).json() as { environment: Record<string, string> };
    delete process.env.MAILPIPE_TEST_LEAK;
    expect(told).toMatchObject({ path: "/tell/some/path", deno: "2.1.4" });
    expect(told.environment.SUPABASE_URL).toBe("http://127.0.0.1:54321");
    expect(told.environment).not.toHaveProperty("MAILPIPE_TEST_LEAK");
    expect(told.environment).not.toHaveProperty("HOME");
  });

  it("imports an entry once, and bare names through deno.json", async () => {
    expect(await (await get("/lazy")).json()).toBe(1);
    expect(await (await get("/lazy")).json()).toBe(1);
    expect(await (await get("/mapped")).text()).toBe("function");
  });

  it.each([
    ["/nothing-here", 404, "NOT_FOUND"],
    ["/broken", 503, "BOOT_ERROR"],
    ["/throws", 500, "WORKER_ERROR"],
  ])(
    "answers %s with %i %s as the hosted runtime does, and serves the others",
    async (path, status, code) => {
      const answer = await get(path);
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ code });
      expect((await get("/mapped")).status).toBe(200);
    },
  );

  it("outlives failures that nothing awaits, and writes them down", async () => {
    const before = host.pid();
    expect(await (await get("/stray")).text()).toBe("answered");
    await expect.poll(log).toContain("thrown from a timer");
    expect(await log()).toContain("background work failed");
    expect(await log()).toContain("nobody awaits this");
    expect(host.pid()).toBe(before);
  });

  it("comes back after it was killed", async () => {
    const killed = host.pid();
    process.kill(killed ?? 0, "SIGKILL");
    await expect.poll(() => host.port() !== undefined && host.pid() !== killed, { timeout: 5000 }).toBe(true);
    expect((await get("/mapped")).status).toBe(200);
  });

  it("ends when the process that started it is killed", async () => {
    const module = fileURLToPath(new URL("../../supabase/local/functions.ts", import.meta.url));
    const script = `
      import { startFunctions } from ${JSON.stringify(module)};
      console.log((await startFunctions(${JSON.stringify(options)})).pid());
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(parent.stdout, "data") as [Buffer];
    const pid = Number(String(line));
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it("says in one sentence that Deno is missing", async () => {
    const root = join(project.root, "elsewhere");
    await expect(startFunctions({ ...options, root })).rejects.toThrow(
      /^Deno is missing at .*: run npm ci with install scripts allowed\.$/,
    );
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
