import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createConnection, Socket } from "node:net";
import { once } from "node:events";
import { connect as connectTls } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import { checkOutgoing } from "../../supabase/local/demo/outgoing.ts";
import { startFunctions } from "../../supabase/local/functions.ts";
import { ownConnections } from "../../supabase/local/own-connections.ts";
import { makeProject } from "./project.ts";

// Names that resolve nowhere (RFC 6761 §6.4): what counts is that the connection was asked for.
const CALLS = {
  fetch: `await fetch("https://fetch.invalid/").catch(() => {});`,
  node: `import net from "node:net"; import { once } from "node:events";
    await once(net.connect(443, "192.0.2.1").setTimeout(1).on("timeout", function () { this.destroy(); }), "close");`,
  deno: `await Deno.connect({ hostname: "deno.invalid", port: 443 }).catch(() => {});`,
  websocket: `await new Promise((end) => new WebSocket("wss://websocket.invalid/").onerror = end);`,
};
const STRANGE = ["192.0.2.1", "deno.invalid", "fetch.invalid", "websocket.invalid"];

const ends: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(ends.map((end) => end())));

describe("the record of outgoing connections", () => {
  it("has every host a function asks Deno for, however it asks, and keeps it out of the log", async () => {
    const project = await makeProject(Object.fromEntries(
      Object.entries(CALLS).map((
        [slug, code],
      ) => [slug, `${code}\nexport default { fetch: () => new Response() };`]),
    ));
    const host = await startFunctions({
      root: project.root,
      logFile: join(project.root, "functions.log"),
      cacheFolder: join(project.root, "deno"),
      environment: {},
    });
    ends.push(() => host.stop().then(project.remove));
    for (const slug of Object.keys(CALLS)) await fetch(`http://127.0.0.1:${host.port()}/${slug}`);
    await host.stop();
    expect(() => checkOutgoing(host.outgoing, new Map(), [])).toThrow(`got ${STRANGE.join(", ")}`);
    expect(await readFile(join(project.root, "functions.log"), "utf8")).not.toContain("access");
  });

  it("has every host of this process, whatever library connects", async () => {
    await fetch("http://fetch.invalid/").catch(() => {});
    const sockets = [
      createConnection({ host: "options.invalid", port: 1 }),
      new Socket().connect(1, "driver.invalid"),
      connectTls({ host: "tls.invalid", port: 1 }),
    ];
    await Promise.all(sockets.map((socket) => once(socket, "error")));
    expect([...ownConnections.keys()]).toEqual(
      expect.arrayContaining(["driver.invalid", "fetch.invalid", "options.invalid", "tls.invalid"]),
    );
  });

  it("is compared with what is configured and what was there before", () => {
    const seen = ["127.0.0.1", "::1", "localhost", "hooks.example.com", "old.invalid"];
    const reached = new Map(seen.map((host) => [host, 1]));
    const before = new Map([["old.invalid", 1]]);
    expect(checkOutgoing(reached, before, ["hooks.example.com"])).toEqual([
      ...["127.0.0.1", "::1", "hooks.example.com", "localhost"],
    ]);
    expect(() => checkOutgoing(reached, before, [])).toThrow("got hooks.example.com");
    expect(() => checkOutgoing(new Map([["old.invalid", 2]]), before, [])).toThrow("got old.invalid");
    expect(() => checkOutgoing(new Map([["128.0.0.1", 1]]), before, [])).toThrow("got 128.0.0.1");
  });
});
