import net, { type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { deliverMessage } from "../../shared/delivering-mail.ts";
import type { MessageWork } from "../../shared/schemas/outgoing.ts";
import { storeBytes } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { outgoing } from "../support/outgoing.ts";
import { json, type ResendAnswering, type ResendStandIn, startResend } from "../support/resend-stand-in.ts";

const tenant = { organization_id: "org_01JDPZ00000000000000000000", environment: "live" };

let api: Api;
let resend: ResendStandIn | undefined;
let server: net.Server | undefined;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());
beforeEach(() => {
  api.calls.length = 0;
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterEach(async () => {
  await resend?.close();
  server?.close();
  [resend, server] = [undefined, undefined];
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

function work(provider: MessageWork["provider"], changes: Partial<MessageWork> = {}): MessageWork {
  const message = { ...outgoing(), attachments: [] };
  return { job_id: "job_1", fence: 1, attempt: 1, unfinished_attempt: false, message, provider, ...changes };
}

async function throughResend(answer: ResendAnswering) {
  resend = await startResend(answer);
  vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
  return { calls: resend.calls, provider: { kind: "resend", credentials: { api_key: "re_test" } } };
}

const accepting: ResendAnswering = (_, response) => json(response, 200, { id: "re_msg_1" });

/** An SMTP port that hangs up on whoever comes; the socket is the witness. */
async function throughSmtp() {
  let connections = 0;
  server = net.createServer((socket) => {
    connections++;
    socket.on("error", () => undefined).destroy();
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = { host: "127.0.0.1", port, secure: false, username: null, password: null };
  return { connections: () => connections, provider: { kind: "smtp", credentials } };
}

const attachment = {
  filename: "a.pdf",
  content_type: "application/pdf",
  content_id: null,
  size_bytes: 3,
};

const begun = () => Promise.resolve(true);

describe("a message", () => {
  test("without a provider goes to the sandbox: no socket, delivered at once", async () => {
    expect(await deliverMessage(work(null), 0, begun)).toMatchObject({
      outcome: "sent",
      delivered: true,
      retry_in_seconds: null,
      duration_ms: expect.any(Number),
    });
    expect(api.calls).toEqual([]);
  });

  test("goes out with its attachments' bytes as they are stored", async () => {
    const { calls, provider } = await throughResend(accepting);
    const { key } = await storeBytes(tenant, Uint8Array.of(0, 255, 1));
    const message = { ...outgoing(), attachments: [{ ...attachment, storage_key: key }] };
    expect(await deliverMessage(work(provider, { message }), 0, begun)).toMatchObject({
      outcome: "sent",
      provider_message_id: "re_msg_1",
    });
    expect(calls[0]?.body).toMatchObject({ attachments: [{ filename: "a.pdf", content: "AP8B" }] });
  });

  test("whose attachment cannot be read is tried later, and the provider is not called", async () => {
    const { calls, provider } = await throughResend(accepting);
    const message = { ...outgoing(), attachments: [{ ...attachment, storage_key: "org/live/missing" }] };
    expect(await deliverMessage(work(provider, { message }), 0, begun)).toMatchObject({
      outcome: "retry",
      retry_in_seconds: 30,
    });
    expect(calls).toEqual([]);
  });

  test.each([
    ["of another shape", { kind: "resend", credentials: {} }],
    ["of a kind there is not", { kind: "pigeon", credentials: {} }],
  ])("is refused when the stored credentials are %s", async (_, provider) => {
    expect(await deliverMessage(work(provider), 0, begun)).toMatchObject({
      outcome: "refused",
      credential_rejected: true,
      retry_in_seconds: null,
    });
  });
});

describe("the attempt is on record right before the provider is called", () => {
  test("and nothing is sent when the claim was lost meanwhile: another worker has the message", async () => {
    const { connections, provider } = await throughSmtp();
    expect(await deliverMessage(work(provider), 0, () => Promise.resolve(false))).toBeNull();
    expect(connections()).toBe(0);
  });

  test("and not where no call follows", async () => {
    const { provider } = await throughSmtp();
    const begin = vi.fn(begun);
    const message = { ...outgoing(), attachments: [{ ...attachment, storage_key: "org/live/missing" }] };
    await deliverMessage(work(provider, { message }), 0, begin);
    await deliverMessage(work(provider, { unfinished_attempt: true }), 0, begin);
    await deliverMessage(work({ kind: "resend", credentials: {} }), 0, begin);
    expect(begin).not.toHaveBeenCalled();
    await deliverMessage(work(provider), 0, begin);
    expect(begin).toHaveBeenCalledTimes(1);
  });
});

describe("a message whose earlier try ended without an answer", () => {
  const unfinished = { unfinished_attempt: true, attempt: 2 };

  test("stays unknown where the provider keeps no key: nothing is sent, not even a connection made", async () => {
    const { connections, provider } = await throughSmtp();
    expect(await deliverMessage(work(provider, unfinished), 0, begun)).toMatchObject({
      outcome: "unknown",
      retry_in_seconds: null,
    });
    expect(connections()).toBe(0);
    // The witness sees who does come.
    await deliverMessage(work(provider), 0, begun);
    expect(connections()).toBe(1);
  });

  test("is asked for again with the same key where the provider keeps one", async () => {
    const { calls, provider } = await throughResend(accepting);
    await deliverMessage(work(provider), 0, begun);
    expect(await deliverMessage(work(provider, unfinished), 0, begun)).toMatchObject({ outcome: "sent" });
    const [first, second] = calls;
    expect(calls).toHaveLength(2);
    expect(second?.headers["idempotency-key"]).toBe(work(provider).message.id);
    expect(second?.headers["idempotency-key"]).toBe(first?.headers["idempotency-key"]);
    expect(second?.body).toEqual(first?.body);
  });

  test("is given up once every try of the schedule took its worker down", async () => {
    const { calls, provider } = await throughResend(accepting);
    expect(await deliverMessage(work(provider, { unfinished_attempt: true, attempt: 12 }), 0, begun))
      .toMatchObject({
        outcome: "unknown",
        retry_in_seconds: null,
      });
    expect(calls).toEqual([]);
  });
});

describe("is tried again only what can succeed later", () => {
  const answering = (status: number, name: string, headers = {}): ResendAnswering => (_, response) =>
    json(response, status, { statusCode: status, name, message: "why" }, headers);

  test.each([
    [429, "rate_limit_exceeded", "retry", 30],
    [503, "service_unavailable", "retry", 30],
    [500, "internal_server_error", "retry", 30],
    [422, "validation_error", "refused", null],
    [403, "invalid_api_key", "refused", null],
    [429, "daily_quota_exceeded", "refused", null],
  ])("%i %s is %s, again in %s s", async (status, name, outcome, seconds) => {
    const { provider } = await throughResend(answering(status, name));
    expect(await deliverMessage(work(provider), 0, begun)).toMatchObject({
      outcome,
      retry_in_seconds: seconds,
    });
  });

  test("no sooner than the provider asks, and later by at most a fifth", async () => {
    const { provider } = await throughResend(answering(429, "rate_limit_exceeded", { "retry-after": "600" }));
    expect((await deliverMessage(work(provider), 0, begun))?.retry_in_seconds).toBe(600);
    expect((await deliverMessage(work(provider), 0.999, begun))?.retry_in_seconds).toBeCloseTo(719.88);
  });

  test("an unknown outcome, where asking again cannot send twice", async () => {
    const { provider } = await throughResend((_, response) => response.destroy());
    expect(await deliverMessage(work(provider), 0, begun)).toMatchObject({
      outcome: "unknown",
      retry_in_seconds: 30,
    });
  });

  test("a connection refused by an SMTP server, which cannot have taken the mail", async () => {
    const { provider } = await throughSmtp();
    await new Promise((resolve) => server?.close(resolve));
    expect(await deliverMessage(work(provider), 0, begun)).toMatchObject({
      outcome: "retry",
      retry_in_seconds: 30,
    });
  });

  test("until the schedule is over", async () => {
    const { provider } = await throughResend(answering(503, "service_unavailable"));
    expect((await deliverMessage(work(provider, { attempt: 10 }), 0, begun))?.retry_in_seconds).toBe(28_800);
    expect((await deliverMessage(work(provider, { attempt: 11 }), 0, begun))?.retry_in_seconds).toBeNull();
  });
});

test("a claim that was lost before the provider was called sends nothing and finishes nothing", async () => {
  const { provider, calls } = await throughResend(accepting);
  expect(await deliverMessage(work(provider), 0, () => Promise.resolve(false))).toBeNull();
  expect(calls).toEqual([]);
});
