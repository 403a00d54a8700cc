import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import type { Access } from "../../shared/access.ts";
import { json } from "../../shared/answers.ts";
import { mintKey } from "../../shared/keys.ts";
import { route } from "../../shared/route.ts";
import { serve } from "../../shared/serve.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { listFiles } from "../check/sources.ts";
import { foundTenant, rpc, type Tenant } from "../database/tenant.ts";
import { ask } from "./ask.ts";
import { cloneDatabase, type TestDatabase } from "./database.ts";
import { readSecrets } from "./evidence.ts";
import { keepLog } from "./log.ts";
import { openSealed } from "./sealed-secrets.ts";
import { secretsIn } from "./secret-kinds.ts";
import { noteAnswer, noteRequest, noteSecrets } from "./secret-register.ts";

const key = mintKey("live").plain;
const [secret, other] = [newWebhookSecret(), newWebhookSecret()];
const token = "Zm9ydHktdGhyZWUgY2hhcmFjdGVycyBvZiBhIHRva2V";

function noted(text: string): string[] {
  return readSecrets(inject("evidence")).filter((each) => each.text === text).map(({ kind }) => kind);
}

describe("a body's secrets", () => {
  test.each([
    ["a key in an answer", { id: "key_1", key }, ["API key"]],
    ["keys in a list", { keys: [key], source_url: `https://a.example/${key}` }, ["API key", "API key"]],
    [
      "the credentials of a kind nobody knows yet, but for what is public",
      {
        credentials: {
          host: "a.example",
          port: 1,
          username: "ada",
          signing_key: "hidden one",
          more: ["hidden two"],
        },
      },
      ["provider credential", "provider credential"],
    ],
    ["credentials that are a text", { credentials: "hidden text" }, ["provider credential"]],
    ["a provider's webhook secret", { credentials: { webhook_secret: secret } }, ["webhook secret"]],
    ["what connecting shows", {
      inbound_url: `https://a.example/receive-webhook/mime/${token}`,
      inbound_secret: other,
    }, [
      "inbound token",
      "webhook secret",
    ]],
    ["a nested one", { data: [{ p_request: { passphrase: "correct horse" } }] }, ["passphrase"]],
    ["nothing", { subject: "a secret", headers: { "X-Mail": "a header of a mail" }, secret: null }, []],
  ])("are %s", (_, body, kinds) => {
    expect(secretsIn(body, "any").map((each) => each.kind)).toEqual(kinds);
  });

  test("are an endpoint's own headers, not a mail's", () => {
    const body = { headers: { authorization: "Bearer of the customer" } };
    expect(secretsIn(body, "webhooks").map((each) => each.text)).toEqual(["Bearer of the customer"]);
    expect(secretsIn(body, "send-mail")).toEqual([]);
  });
});

describe("the register", () => {
  test("takes what a request's headers and path carry, well-formed or mistyped", () => {
    const mistyped = `${key.slice(0, -2)}xx`;
    const headers = { authorization: `Bearer ${mistyped}` };
    noteRequest(new Request(`http://127.0.0.1/receive-webhook/mime/${token}`, { headers }));
    expect([noted(mistyped), noted(token)]).toEqual([["API key"], ["inbound token"]]);
  });

  test("takes what an answer shows, and nothing from a refusal", () => {
    const refused = mintKey("test").plain.slice(0, -1);
    noteAnswer("webhooks", 201, JSON.stringify({ secret }));
    expect(noted(secret)).toEqual(["webhook secret"]);
    expect(noted(refused)).toEqual([]);
  });

  test("refuses one that could stand somewhere by chance", () => {
    expect(() => noteSecrets([{ kind: "passphrase", text: "hunter2" }])).toThrow(
      '"hunter2" is too short a passphrase to be searched for: give it 12 characters.',
    );
  });

  test("takes both sides of what is asked over ask()", async () => {
    const [password, shown] = ["a password for a probe", newWebhookSecret()];
    const run = () => Promise.resolve(json(201, { secret: shown }));
    const access: Access = { public: true };
    const body = z.any();
    const answer = z.object({ secret: z.string() });
    const probe = serve("probe", { POST: route({ summary: "", access, body, answer, status: 201, run }) });
    await expect(ask(probe, "probe", { body: {} })).rejects.toThrow("Call keepLog() first");
    keepLog();
    await ask(probe, "probe", { body: { credentials: { password } } });
    expect([noted(password), noted(shown)]).toEqual([["provider credential"], ["webhook secret"]]);
  });

  test("hears every function that a test calls", () => {
    const root = join(import.meta.dirname, "../..");
    const files = ["functions", "install", "shared", "support"].flatMap((folder) =>
      listFiles(root, `tests/${folder}`, ".ts")
    );
    const asking = files.filter((path) => /\w\.fetch\(/.test(readFileSync(join(root, path), "utf8")));
    expect(asking).toEqual(["tests/support/ask.ts"]);
  });
});

describe("a database that is closed", () => {
  let database: TestDatabase;
  let acme: Tenant;
  const before = "whsec_one_before_it";
  const header = "Bearer of the endpoint";

  beforeAll(async () => {
    database = await cloneDatabase();
    acme = await foundTenant(database, "Acme");
    const webhook = { url: "https://a.example/", events: ["*"], thin: false, max_concurrent: 10 };
    const headers = { authorization: header };
    const service = database.sql("service_role");
    const { id } = await rpc(service, "create_webhook", {
      p_caller: acme.session,
      p_request: { ...webhook, headers, secret: before },
    });
    const p_request = { secret: other, overlap_seconds: 60 };
    await rpc(service, "rotate_webhook_secret", { p_caller: acme.session, p_id: id, p_request });
  });
  afterAll(() => database.close());

  test("gives up every secret it holds sealed, whoever put it there", async () => {
    const opened = await openSealed(database.sql("supabase_admin"));
    const kinds = opened.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(
      new Set([
        "master key",
        "workers' secret",
        "Vault's root key",
        "data key",
        "provider credential",
        "webhook secret",
        "webhook header",
      ]),
    );
    expect(opened.map(({ text }) => text)).toEqual(
      expect.arrayContaining([other, before, header, "secret of Acme"]),
    );
    expect(opened.filter(({ text }) => text === "")).toEqual([]);
  });

  test("gives up what opens although one row does not", async () => {
    const owner = database.sql("postgres");
    const ours = await openSealed(database.sql("supabase_admin"));
    await owner`update mailpipe.webhook_endpoints set secret = overlay(secret placing '\\x00' from 30)`;
    const left = await openSealed(database.sql("supabase_admin"));
    expect(ours.filter(({ text }) => !left.some((each) => each.text === text)).map(({ text }) => text))
      .toEqual([other]);
  });
});
