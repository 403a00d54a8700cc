import { afterEach, describe, expect, test, vi } from "vitest";
import { resend } from "../../../shared/providers/resend.ts";
import { ResendCredentials } from "../../../shared/schemas/providers.ts";
import { outgoing } from "../../support/outgoing.ts";
import {
  json,
  type ResendAnswering,
  type ResendStandIn,
  startResend,
} from "../../support/resend-stand-in.ts";

const account = ResendCredentials.parse({ api_key: "re_test_key" });
let standIn: ResendStandIn | undefined;

afterEach(async () => {
  await standIn?.close();
  standIn = undefined;
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

async function answering(answer: ResendAnswering): Promise<ResendStandIn> {
  standIn = await startResend(answer);
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", standIn.url);
  return standIn;
}

const accepting: ResendAnswering = (_, response) =>
  json(response, 200, { id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794" });
const failing = (status: number, name: string, headers = {}): ResendAnswering => (_, response) =>
  json(response, status, { statusCode: status, name, message: "It says why." }, headers);

describe("a message in Resend's words", () => {
  test("every field is where Resend documents it", async () => {
    const { calls } = await answering(accepting);
    const verdict = await resend.send(
      outgoing({
        from: { email: "ada@example.com", name: "Größe, Co" },
        to: [{ email: "bob@example.net", name: "Bob" }, { email: "b2@example.net", name: null }],
        cc: [{ email: "cee@example.net", name: null }],
        bcc: [{ email: "dee@example.net", name: null }],
        reply_to: [{ email: "r@example.net", name: null }, { email: "s@example.net", name: "S" }],
        subject: "Grüße",
        html: "<p>Hi</p>",
        headers: { "X-Mine": "1" },
        tags: ["welcome", "größe 1", "gr__e_1", "mailpipe_id"],
        metadata: { order: "42" },
        in_reply_to: "<p@x.test>",
        references: ["<r@x.test>", "<p@x.test>"],
        attachments: [
          {
            filename: "a.pdf",
            content_type: "application/pdf",
            content_id: null,
            bytes: Uint8Array.of(0, 255, 1),
          },
          { filename: "b.png", content_type: "image/png", content_id: "logo", bytes: new Uint8Array() },
        ],
      }),
      account,
    );
    expect(verdict).toEqual({
      outcome: "sent",
      provider_message_id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
      response: "200 49a3999c-0ce1-4ea6-ab68-afcd6dc2e794",
      refused: [],
    });
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatchObject({
      method: "POST",
      path: "/emails",
      headers: {
        authorization: "Bearer re_test_key",
        "idempotency-key": "msg_01JDPZ0000000000000000000",
        "user-agent": "mailpipe",
        "content-type": "application/json",
      },
    });
    expect(calls[0]?.body).toEqual({
      from: '"Größe, Co" <ada@example.com>',
      to: ["Bob <bob@example.net>", "b2@example.net"],
      cc: ["cee@example.net"],
      bcc: ["dee@example.net"],
      reply_to: ["r@example.net", "S <s@example.net>"],
      subject: "Grüße",
      text: "Hello Bob",
      html: "<p>Hi</p>",
      headers: { "X-Mine": "1", "In-Reply-To": "<p@x.test>", "References": "<r@x.test> <p@x.test>" },
      attachments: [
        { filename: "a.pdf", content: "AP8B", content_type: "application/pdf" },
        { filename: "b.png", content: "", content_type: "image/png", content_id: "logo" },
      ],
      tags: [{ name: "mailpipe_id", value: "msg_01JDPZ0000000000000000000" }, {
        name: "welcome",
        value: "welcome",
      }, { name: "gr__e_1", value: "gr__e_1" }],
    });
  });

  test("what is empty is left out", async () => {
    const { calls } = await answering(accepting);
    await resend.send(outgoing({ text: null, html: "<p>x</p>" }), account);
    expect(Object.keys(calls[0]?.body as object)).toEqual(["from", "to", "subject", "html", "tags"]);
    await resend.send(outgoing({ text: null, html: null }), account);
    expect(calls[1]?.body).toMatchObject({ text: "" });
  });

  test("a second try is the same call with the same key", async () => {
    const { calls } = await answering(accepting);
    await resend.send(outgoing(), account);
    await resend.send(outgoing(), account);
    expect(calls[1]).toEqual({ ...calls[0], headers: expect.anything() });
    expect(calls[1]?.headers["idempotency-key"]).toBe(calls[0]?.headers["idempotency-key"]);
  });

  test("what Resend would drop silently is refused without a call", async () => {
    const { calls } = await answering(accepting);
    const nameless = { filename: " ", content_type: "text/plain", content_id: null, bytes: new Uint8Array() };
    expect(await resend.send(outgoing({ attachments: [nameless] }), account)).toMatchObject({
      outcome: "refused",
      reason: expect.stringContaining("file name"),
    });
    expect(await resend.send(outgoing({ to: [] }), account)).toMatchObject({ outcome: "refused" });
    expect(calls).toEqual([]);
  });
});

describe("what Resend's answer means", () => {
  test.each([
    [400, "validation_error", "refused", false],
    [400, "invalid_idempotency_key", "refused", false],
    [422, "missing_required_field", "refused", false],
    [422, "invalid_attachment", "refused", false],
    [422, "invalid_from_address", "refused", false],
    [403, "validation_error", "refused", false],
    [404, "not_found", "refused", false],
    [405, "method_not_allowed", "refused", false],
    [451, "security_error", "refused", false],
    [401, "missing_api_key", "refused", true],
    [403, "invalid_api_key", "refused", true],
    [401, "restricted_api_key", "refused", true],
    [429, "daily_quota_exceeded", "refused", false],
    [429, "monthly_quota_exceeded", "refused", false],
  ])("%i %s is %s", async (status, name, outcome, credential_rejected) => {
    await answering(failing(status, name));
    expect(await resend.send(outgoing(), account)).toEqual({
      outcome,
      reason: `${name}: It says why.`,
      status,
      credential_rejected,
    });
  });

  test.each([
    [429, "rate_limit_exceeded", {}, null],
    [429, "rate_limit_exceeded", { "retry-after": "7" }, 7],
    [429, "rate_limit_exceeded", { "ratelimit-reset": "3" }, 3],
    [429, "rate_limit_exceeded", { "retry-after": "999999999" }, 86_400],
    [409, "concurrent_idempotent_requests", {}, null],
    [500, "internal_server_error", {}, null],
    [500, "application_error", {}, null],
    [503, "service_unavailable", { "retry-after": "60" }, 60],
  ])("%i %s with %j is tried again after %s seconds", async (status, name, headers, retry_after_seconds) => {
    await answering(failing(status, name, headers));
    expect(await resend.send(outgoing(), account)).toEqual({
      outcome: "retry",
      reason: `${name}: It says why.`,
      status,
      retry_after_seconds,
    });
  });

  const html = "<html><body>Bad gateway</body></html>";
  test.each<[string, ResendAnswering, string]>([
    ["200 without an id", (_, response) => json(response, 200, {}), "unknown"],
    ["200 with an id that is none", (_, response) => json(response, 200, { id: "../../keys" }), "unknown"],
    ["200 with null", (_, response) => json(response, 200, null), "unknown"],
    ["200 with HTML", (_, response) => response.writeHead(200).end(html), "unknown"],
    ["200 with half a JSON", (_, response) => response.writeHead(200).end('{"id": "49a3'), "unknown"],
    [
      "200 with 10 MB of JSON",
      (_, response) => json(response, 200, { padding: "a".repeat(10_000_000), id: "49a3999c" }),
      "unknown",
    ],
    [
      "200 cut off",
      (_, response) =>
        response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()),
      "unknown",
    ],
    ["502 with HTML", (_, response) => response.writeHead(502).end(html), "unknown"],
    ["503 with HTML", (_, response) => response.writeHead(503).end(html), "retry"],
    ["403 with HTML", (_, response) => response.writeHead(403).end(html), "refused"],
    ["302", (_, response) => response.writeHead(302, { location: "/elsewhere" }).end(), "refused"],
    ["409 for the same key with another body", failing(409, "invalid_idempotent_request"), "unknown"],
    ["a connection lost after the request", (_, response) => response.destroy(), "unknown"],
  ])("%s", async (_, answer, outcome) => {
    const { calls } = await answering(answer);
    const verdict = await resend.send(outgoing(), account);
    expect(verdict.outcome).toBe(outcome);
    expect(verdict).not.toMatchObject({ credential_rejected: true });
    expect(calls).toHaveLength(1);
  });

  test("silence is left at the deadline and is an outcome nobody can say, also after the status", async () => {
    for (const begin of [false, true]) {
      let arrived = (): void => undefined;
      const arrival = new Promise<void>((resolve) => (arrived = resolve));
      await answering((_, response) => {
        if (begin) response.writeHead(200).write("{");
        arrived();
      });
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const sending = resend.send(outgoing(), account);
      await arrival;
      vi.advanceTimersByTime(60_000);
      expect(await sending).toMatchObject({ outcome: "unknown" });
      vi.useRealTimers();
      await standIn?.close();
    }
  });

  test("nobody there is tried again", async () => {
    const { url, close } = await answering(accepting);
    await close();
    vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", url);
    expect(await resend.send(outgoing(), account)).toEqual({
      outcome: "retry",
      reason: "Resend could not be reached",
      status: null,
      retry_after_seconds: null,
    });
  });
});

describe("checking a key", () => {
  test("a good key, and one that may only send, are taken; no mail is sent", async () => {
    const { calls } = await answering((_, response) => json(response, 200, { data: [] }));
    expect(await resend.check(account)).toEqual({ ok: true });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /domains"]);
    await answering(failing(401, "restricted_api_key"));
    expect(await resend.check(account)).toEqual({ ok: true });
  });

  test.each([
    [failing(403, "invalid_api_key"), "Resend refused the API key: It says why."],
    [failing(401, "missing_api_key"), "Resend refused the API key: It says why."],
    [failing(429, "rate_limit_exceeded"), "Resend cannot say now: it answered 429."],
    [failing(500, "internal_server_error"), "Resend cannot say now: it answered 500."],
  ])("case %#: says what failed", async (answer, reason) => {
    await answering(answer);
    expect(await resend.check(account)).toEqual({ ok: false, reason });
  });

  test("nobody there is said", async () => {
    const { close } = await answering(accepting);
    await close();
    expect(await resend.check(account)).toEqual({ ok: false, reason: "Resend could not be reached." });
  });
});
