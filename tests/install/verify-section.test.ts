import { spawnSync } from "node:child_process";
import { createHmac, timingSafeEqual } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import http, { type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import express from "express";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import dispatchWebhooks from "../../functions/dispatch-webhooks/index.ts";
import webhooks from "../../functions/webhooks/index.ts";
import { newWebhookSecret, signWebhook } from "../../shared/signature.ts";
import { type Api, startApi } from "../support/api.ts";
import { ask } from "../support/ask.ts";
import { keepLog } from "../support/log.ts";
import { noteSecrets } from "../support/secret-register.ts";
import { foundTenant, type Tenant } from "../support/tenant.ts";
import { readBlock } from "./readme-block.ts";

/** A request as it went over the wire. */
interface Delivery {
  headers: Record<string, string>;
  body: Buffer;
}

let api: Api;
let tenant: Tenant;
let folder: string;
let server: http.Server;
let url: string;
let secret: string;
let receiving: RequestListener;
let loaded = 0;
const deliveries: Delivery[] = [];

/** Everything JSON can hold that a parser may write otherwise. */
const awkward = {
  subject: 'Grüße 📬 漢字 \u2028\u2029 "q" \\ </script>',
  number: 1e21,
  small: 1e-7,
  fraction: 0.1,
  metadata: { order: { id: "1042", lines: [{ sku: "a", price: 12.5 }, null, true, []] }, "é": "e\u0301" },
};

beforeAll(async () => {
  keepLog();
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
  folder = realpathSync(mkdtempSync(join(tmpdir(), "mailpipe-verify-")));
  symlinkSync(resolve(import.meta.dirname, "../../node_modules"), join(folder, "node_modules"));
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk)).on(
      "end",
      () =>
        deliveries.push({ headers: request.headers as Record<string, string>, body: Buffer.concat(chunks) }),
    );
    receiving(request, response);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  api = await startApi();
  tenant = await foundTenant(api);
  const body = { url, events: ["email.received"] };
  secret = String((await ask(webhooks, "webhooks", { token: tenant.test, body })).body["secret"]);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  deliveries.length = 0;
  // A receiver that refused is asked again five seconds later.
  await api.database.sql("postgres")`delete from mailpipe.jobs`;
  return () => vi.useRealTimers();
});

/** A block of the README as the receiver of a customer who copied it, with his secret in the environment. */
async function copied(block: string, held = secret): Promise<RequestListener> {
  const file = join(folder, `${block}-${++loaded}.mjs`);
  writeFileSync(file, await readBlock(block));
  vi.stubEnv("MAILPIPE_WEBHOOK_SECRET", held);
  const { app } = await import(/* @vite-ignore */ file) as { app: RequestListener };
  return app;
}

/** Has dispatch-webhooks deliver one event over the socket; the delivery, and the status its receiver answered. */
async function deliver(data: object = awkward): Promise<[Delivery, number]> {
  await api.database.sql("postgres")`
    select mailpipe.emit_event(${tenant.organization_id}, 'test', 'email.received', null, ${
    JSON.stringify(data)
  }::text::jsonb, true)
  `;
  const answer = await ask(dispatchWebhooks, "dispatch-webhooks", {
    headers: { apikey: api.secretKey },
    body: {},
  });
  expect(answer.body["done"]).toBe(1);
  const [attempt] = await api.database.sql("postgres")<{ status_code: number }[]>`
    select status_code from mailpipe.attempts order by started_at desc limit 1
  `;
  const delivery = deliveries.at(-1);
  if (delivery === undefined || attempt === undefined) throw new Error("nothing arrived");
  return [delivery, attempt.status_code];
}

/** Posts what somebody else might; the status it is answered with. */
function post({ headers, body }: Delivery): Promise<number> {
  const { host: _, connection: __, "content-length": ___, "transfer-encoding": ____, ...kept } = headers;
  return new Promise((answered, failed) => {
    http.request(url, { method: "POST", headers: kept }, (response) => {
      response.resume().on("end", () => answered(response.statusCode ?? 0));
    }).on("error", failed).end(body);
  });
}

const withHeaders = ({ headers, body }: Delivery, changes: Record<string, string>): Delivery => ({
  headers: { ...headers, ...changes },
  body,
});

function without({ headers, body }: Delivery, ...names: string[]): Delivery {
  return {
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name))),
    body,
  };
}

const standard = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const hostile: [string, (good: Delivery) => Delivery][] = [
  ["a changed body", ({ headers, body }) => ({ headers, body: Buffer.from(`${body} `) })],
  ["no body", ({ headers }) => ({ headers, body: Buffer.alloc(0) })],
  ...standard.map((name): [string, (good: Delivery) => Delivery] => [
    `no ${name}`,
    (good) => without(good, name),
  ]),
  ["no signature at all", (good) => without(good, ...standard, "x-mailpipe-signature")],
  [
    "a signature cut short",
    (good) =>
      withHeaders(good, { "webhook-signature": good.headers["webhook-signature"]?.slice(0, -3) ?? "" }),
  ],
  [
    "a signature that goes on",
    (good) => withHeaders(good, { "webhook-signature": `${good.headers["webhook-signature"]}AAAA` }),
  ],
  ["an empty signature", (good) => withHeaders(good, { "webhook-signature": "v1," })],
  [
    "a signature of another scheme",
    (good) =>
      withHeaders(good, {
        "webhook-signature": good.headers["webhook-signature"]?.replace("v1", "v2") ?? "",
      }),
  ],
  ["another event's id", (good) => withHeaders(good, { "webhook-id": "evt_other" })],
  [
    "another time",
    (good) =>
      withHeaders(good, { "webhook-timestamp": String(Number(good.headers["webhook-timestamp"]) + 1) }),
  ],
  ["a time that is no number", (good) => withHeaders(good, { "webhook-timestamp": "soon" })],
  ["another type of body", (good) => withHeaders(good, { "content-type": "text/plain" })],
];

describe.each(["verify-express", "verify-library"])("the README's receiver %s", (block) => {
  beforeAll(async () => {
    receiving = await copied(block);
  });

  test("takes what dispatch-webhooks delivers", async () => {
    expect((await deliver())[1]).toBe(204);
  });

  test("takes an event of 256 KiB, which is more than Express takes by itself", async () => {
    expect((await deliver({ subject: "x".repeat(255 * 1024) }))[1]).toBe(204);
  });

  test.each(hostile)("answers 401 to %s, and goes on", async (_, spoil) => {
    const [good] = await deliver();
    expect(await post(spoil(good))).toBe(401);
    expect(await post(good)).toBe(204);
  });

  test("answers 401 to a replay older than five minutes, and to one from the future", async () => {
    const [good] = await deliver();
    const signed = Number(good.headers["webhook-timestamp"]) * 1000;
    const at = (seconds: number) => {
      vi.useFakeTimers({ toFake: ["Date"], now: signed + seconds * 1000 });
      return post(good);
    };
    expect([await at(299), await at(301), await at(-299), await at(-301)]).toEqual([204, 401, 204, 401]);
  });

  test("answers 401 to what another secret signed", async () => {
    const other = newWebhookSecret();
    noteSecrets([{ kind: "webhook secret", text: other }]);
    receiving = await copied(block, other);
    expect((await deliver())[1]).toBe(401);
    receiving = await copied(block);
  });

  test("takes a delivery that a rotation has signed with both secrets, whichever it holds", async () => {
    const [{ headers, body }] = await deliver();
    const next = newWebhookSecret();
    noteSecrets([{ kind: "webhook secret", text: next }]);
    const signed = signWebhook({
      id: headers["webhook-id"] ?? "",
      timestampSeconds: Number(headers["webhook-timestamp"]),
      body: body.toString(),
      secret: next,
      previousSecret: secret,
    });
    expect(signed["webhook-signature"].split(" ")).toHaveLength(2);
    const both = withHeaders({ headers, body }, { ...signed });
    expect(await post(both)).toBe(204);
    receiving = await copied(block, next);
    expect(await post(both)).toBe(204);
    receiving = await copied(block);
  });
});

describe("the sample of Mailpipe's security page, in an application with express.json()", () => {
  /** Word for word, but for the types. */
  function documented(): RequestListener {
    const app = express();
    // The error page stays out of the log of the run.
    app.set("env", "test");
    app.post("/hooks", express.json({ limit: "1mb" }), (req, res) => {
      const payload = JSON.stringify(req.body);
      const expected = createHmac("sha256", process.env["MAILPIPE_WEBHOOK_SECRET"] ?? "").update(payload)
        .digest(
          "hex",
        );
      const signature = req.headers["x-mailpipe-signature"] as string;
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) {
        res.status(401).send("Invalid signature");
        return;
      }
      res.status(200).send("OK");
    });
    return app;
  }

  beforeAll(() => {
    vi.stubEnv("MAILPIPE_WEBHOOK_SECRET", secret);
    receiving = documented();
  });

  test.each<[string, object]>([
    ["everything awkward at once", awkward],
    ["emoji", { subject: "👩‍👩‍👧 📬" }],
    ["line separators", { subject: "a\u2028b\u2029c" }],
    ["numbers that JavaScript writes its own way", { a: 1e21, b: 123456789012345680000, c: 1.0, d: 1e-7 }],
    ["nested metadata", { metadata: { a: { b: [{ c: {} }, []] } } }],
    ["names that are numbers", { metadata: { 10: "a", 9: "b", x: "c", 1: "d" } }],
  ])("takes a delivery with %s", async (_, data) => {
    const [{ headers, body }, status] = await deliver(data);
    expect(status).toBe(200);
    expect((JSON.parse(body.toString()) as { data: unknown }).data).toEqual(data);
    expect(headers["x-mailpipe-signature"]).toMatch(/^[0-9a-f]{64}$/);
  });

  test("answers 401 to a changed body, and fails where the README says it does", async () => {
    const [good] = await deliver();
    const changed = { ...good, body: Buffer.from(good.body.toString().replace("Grüße", "Grüsse")) };
    expect(await post(changed)).toBe(401);
    expect(await post(without(good, "x-mailpipe-signature"))).toBe(500);
    expect(await post(withHeaders(good, { "x-mailpipe-signature": "00" }))).toBe(500);
  });
});

const python = spawnSync("python3", ["--version"]).status === 0;
const openssl = spawnSync("openssl", ["version"]).status === 0;

/** Runs a program to its end; what it printed. */
function run(program: string, args: string[], input: Buffer | string): Buffer {
  const { status, stdout, stderr } = spawnSync(program, args, { input });
  expect(status, stderr.toString()).toBe(0);
  return stdout;
}

describe("in other languages", () => {
  let good: Delivery;

  beforeAll(async () => {
    receiving = (_, response) => void response.writeHead(204).end();
    [good] = await deliver();
  });

  describe.skipIf(!python)("Python (needs python3)", () => {
    /** The README's function at a time of ours, then the hex header by hand. */
    async function verdicts(
      { headers, body }: Delivery,
      held: string,
      at: number,
    ): Promise<[boolean, boolean]> {
      const script = [
        await readBlock("verify-python"),
        "import json, sys",
        "given = json.load(sys.stdin)",
        "body = base64.b64decode(given['body'])",
        "time.time = lambda: given['at']",
        "hexed = hmac.new(given['secret'].encode(), body, hashlib.sha256).hexdigest()",
        "both = [is_from_mailpipe(given['headers'], body, given['secret']),",
        "        hmac.compare_digest(hexed, given['headers'].get('x-mailpipe-signature', ''))]",
        "print(json.dumps(both))",
      ].join("\n");
      const input = JSON.stringify({ headers, body: body.toString("base64"), secret: held, at });
      return JSON.parse(run("python3", ["-c", script], input).toString()) as [boolean, boolean];
    }

    const now = () => Number(good.headers["webhook-timestamp"]);

    test("verifies both schemes", async () => {
      expect(await verdicts(good, secret, now())).toEqual([true, true]);
    });

    test.each(hostile.filter(([name]) => name !== "another type of body"))("refuses %s", async (_, spoil) => {
      expect((await verdicts(spoil(good), secret, now()))[0]).toBe(false);
    });

    test("refuses a replay, one from the future, and another secret", async () => {
      const at = async (seconds: number) => (await verdicts(good, secret, now() + seconds))[0];
      expect([await at(299), await at(301), await at(-301)]).toEqual([true, false, false]);
      expect(await verdicts(good, `whsec_${Buffer.alloc(32).toString("base64")}`, now())).toEqual([
        false,
        false,
      ]);
    });
  });

  describe.skipIf(!openssl)("OpenSSL (needs openssl)", () => {
    test("makes the hex header of the body and the secret as written", () => {
      const made = run("openssl", ["dgst", "-sha256", "-hmac", secret, "-r"], good.body).toString();
      expect(made.split(" ")[0]).toBe(good.headers["x-mailpipe-signature"]);
    });

    test("makes the v1 signature of id, time and body with the bytes behind whsec_", () => {
      const hexkey = Buffer.from(secret.replace("whsec_", ""), "base64").toString("hex");
      const { "webhook-id": id, "webhook-timestamp": time } = good.headers;
      const signed = Buffer.concat([Buffer.from(`${id}.${time}.`), good.body]);
      const args = ["dgst", "-sha256", "-mac", "HMAC", "-macopt", `hexkey:${hexkey}`, "-binary"];
      expect(good.headers["webhook-signature"]).toBe(`v1,${run("openssl", args, signed).toString("base64")}`);
    });
  });
});
