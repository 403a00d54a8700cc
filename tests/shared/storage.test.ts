import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  downloadLinks,
  readIfStored,
  readStored,
  removeStored,
  sha256Hex,
  storeBytes,
} from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { startStandIn } from "../support/stand-in.ts";

const tenant = { organization_id: "org_01JDPZ00000000000000000000", environment: "live" };
const bytes = Uint8Array.from({ length: 300 }, (_, index) => index % 256);
const sha256 = createHash("sha256").update(bytes).digest("hex");
const unavailable = { code: "storage_unavailable" };

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Another character, half the alphabet away: in base64url the last one's low bits mean nothing. */
function another(char: string): string {
  return alphabet[(alphabet.indexOf(char) + 32) % 64] ?? "A";
}

let api: Api;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

describe("bytes in the bucket", () => {
  test("lie under their tenant and their own hash, and come back as they were", async () => {
    const stored = await storeBytes(tenant, bytes);
    expect(stored).toEqual({ key: `${tenant.organization_id}/live/${sha256}`, sha256, size_bytes: 300 });
    expect([...await readStored(stored.key)]).toEqual([...bytes]);
    expect(sha256Hex(bytes)).toBe(sha256);
  });

  test("stored again are the same object; of another tenant or environment another", async () => {
    const first = await storeBytes(tenant, bytes);
    expect(await storeBytes(tenant, bytes)).toEqual(first);
    const test = await storeBytes({ ...tenant, environment: "test" }, bytes);
    expect(test.key).not.toBe(first.key);
  });

  test("may be none at all", async () => {
    const { key } = await storeBytes(tenant, new Uint8Array());
    expect((await readStored(key)).length).toBe(0);
  });

  test("are never given an owner's content type: a browser shows none of them", async () => {
    const html = await storeBytes(tenant, new TextEncoder().encode("<script>alert(1)</script>"));
    const [link] = await downloadLinks([{ key: html.key, filename: "../a\u202e.html" }]);
    const answer = await fetch(link ?? "");
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename\*=UTF-8''\.\._a_\.html/);
  });

  test("are not to be had without a signature", async () => {
    const { key } = await storeBytes(tenant, bytes);
    for (const path of [`object/mailpipe/${key}`, `object/public/mailpipe/${key}`]) {
      const headers = { apikey: api.publishableKey };
      expect((await fetch(`${api.url}/storage/v1/${path}`, { headers })).ok).toBe(false);
    }
  });

  test("are gone once removed, and removing what is gone is no error", async () => {
    const { key } = await storeBytes(tenant, Uint8Array.of(1, 2, 3));
    await removeStored([key]);
    await expect(readStored(key)).rejects.toMatchObject(unavailable);
    expect(await readIfStored(key)).toBeNull();
    await expect(removeStored([key])).resolves.toBeUndefined();
  });
});

describe("links", () => {
  test("come in the order of their keys, and open for an hour", async () => {
    const one = await storeBytes(tenant, Uint8Array.of(1));
    const two = await storeBytes(tenant, Uint8Array.of(2));
    const links = await downloadLinks([two, one].map(({ key }) => ({ key, filename: "a" })));
    const read = await Promise.all(
      links.map(async (link) => [...new Uint8Array(await (await fetch(link ?? "")).arrayBuffer())]),
    );
    expect(read).toEqual([[2], [1]]);
    const token = new URL(links[0] ?? "").searchParams.get("token") ?? "";
    const { exp } = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
      exp: number;
    };
    expect(Math.abs(exp - Date.now() / 1000 - 3600)).toBeLessThan(10);
  });

  test("do not open once the hour is over", async () => {
    const { key } = await storeBytes(tenant, bytes);
    // On a full second, since a link counts in those.
    const signed = Math.floor(Date.now() / 1000) * 1000;
    vi.useFakeTimers({ toFake: ["Date"], now: signed });
    try {
      const [link] = await downloadLinks([{ key, filename: "a" }]);
      const statuses = [];
      for (const seconds of [0, 3599, 3600, 86_400]) {
        vi.setSystemTime(signed + seconds * 1000);
        statuses.push((await fetch(link ?? "")).status);
      }
      expect(statuses).toEqual([200, 200, 400, 400]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("with any one character of its path or its token altered do not open", async () => {
    const { key } = await storeBytes(tenant, bytes);
    const [link] = await downloadLinks([{ key, filename: "a" }]) as [string];
    expect((await fetch(link)).status).toBe(200);
    const [from, to] = [link.indexOf("/object/sign/") + 1, link.indexOf("&download=")];
    expect(to - from).toBeGreaterThan(key.length + 100);
    const opened: string[] = [];
    for (let at = from; at < to; at++) {
      const altered = link.slice(0, at) + another(link.charAt(at)) + link.slice(at + 1);
      if ((await fetch(altered)).ok) opened.push(altered);
    }
    expect(opened).toEqual([]);
  });

  test("whose ending that names the file is taken off still save, and show nothing", async () => {
    const { key } = await storeBytes(tenant, new TextEncoder().encode("<script>alert(1)</script>"));
    const [link] = await downloadLinks([{ key, filename: "a.html" }]);
    const answer = await fetch((link ?? "").replace(/&download=.*/, ""));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
  });

  test("save a file under its name, which is no path and reads as it is written", async () => {
    const { key } = await storeBytes(tenant, bytes);
    for (
      const [filename, saved] of [
        ["Größe & Co.pdf", "Größe & Co.pdf"],
        ["../../etc/passwd", ".._.._etc_passwd"],
        ["..\\boot.ini", ".._boot.ini"],
        ["invoice\u202Efdp.exe", "invoice_fdp.exe"],
        ["a\r\nset-cookie: b", "a__set-cookie: b"],
      ] as const
    ) {
      const [link] = await downloadLinks([{ key, filename }]);
      expect(new URL(link ?? "").searchParams.get("download")).toBe(saved);
    }
  });

  test("to what is gone are null, and leave the others as they are", async () => {
    const [gone, kept] = [
      await storeBytes(tenant, Uint8Array.of(7)),
      await storeBytes(tenant, Uint8Array.of(8)),
    ];
    await removeStored([gone.key]);
    const links = await downloadLinks([gone, kept].map(({ key }) => ({ key, filename: "a" })));
    expect(links).toEqual([null, expect.stringContaining(kept.sha256)]);
  });

  test("to nothing and the removal of nothing ask nobody", async () => {
    api.calls.length = 0;
    expect(await downloadLinks([])).toEqual([]);
    await removeStored([]);
    expect(api.calls).toEqual([]);
  });
});

describe("a storage that fails is unavailable, whatever was asked of it", () => {
  const asked = () => [
    storeBytes(tenant, bytes),
    readStored("org/live/x"),
    readIfStored("org/live/x"),
    downloadLinks([{ key: "org/live/x", filename: "x" }]),
    removeStored(["org/live/x"]),
  ];

  test("answering 503, and not answering", async () => {
    const down = await startStandIn((_, response) => void response.writeHead(503).end("<html>down</html>"));
    vi.stubEnv("SUPABASE_URL", down.url);
    for (const call of asked()) await expect(call).rejects.toMatchObject(unavailable);
    await down.close();
    const results = await Promise.allSettled(asked());
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: unavailable });
    vi.unstubAllEnvs();
  });
});
