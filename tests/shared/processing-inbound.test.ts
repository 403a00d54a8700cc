import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { mime } from "../../shared/inbound/mime.ts";
import { processInbound } from "../../shared/processing-inbound.ts";
import type { InboundWork } from "../../shared/schemas/inbound.ts";
import { storeBytes } from "../../shared/storage.ts";
import { type Api, startApi } from "../support/api.ts";
import { startResend } from "../support/resend-stand-in.ts";

const tenant = { organization_id: "org_01JDPZ00000000000000000000", environment: "live" };

let api: Api;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** A stored request of `kind` with `body`, as claim_inbound hands it over. */
async function stored(kind: string, body: string, changes: Partial<InboundWork> = {}): Promise<InboundWork> {
  const { key } = await storeBytes(tenant, new TextEncoder().encode(body));
  return {
    job_id: "job_1",
    fence: 1,
    attempt: 1,
    ...tenant,
    kind,
    headers: {},
    storage_key: key,
    credentials: null,
    inbound_secret: null,
    ...changes,
  };
}

const delivered = JSON.stringify({
  type: "email.delivered",
  created_at: "2025-01-02T03:04:05.000Z",
  data: { email_id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794", to: ["bob@example.net"] },
});
const received = JSON.stringify({
  type: "email.received",
  created_at: "2025-01-02T03:04:05.000Z",
  data: { email_id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794", to: ["bob@example.net"] },
});
const credentials = () => ({ api_key: `re_${randomBytes(8).toString("hex")}` });

describe("a stored request", () => {
  test("that is a mail becomes its facts, with its bytes stored", async () => {
    const work = await stored("mime", "From: ada@example.com\r\nSubject: Hi\r\n\r\nHello", {
      headers: { "x-mailpipe-envelope-to": "bob@example.net" },
    });
    expect(await processInbound(work, 0)).toEqual({
      events: [],
      mails: [
        expect.objectContaining({
          subject: "Hi",
          delivered_to: ["bob@example.net"],
          raw_key: work.storage_key,
        }),
      ],
      failure: null,
      retry_in_seconds: null,
    });
  });

  test("that is an event becomes the event", async () => {
    const work = await stored("resend", delivered, { credentials: credentials() });
    expect(await processInbound(work, 0)).toMatchObject({
      events: [{ type: "delivered", provider_message_id: "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794" }],
      mails: [],
      failure: null,
      retry_in_seconds: null,
    });
  });
});

describe("what fails is tried again and never thrown", () => {
  const empty = { events: [], mails: [] };

  test("storage out of reach", async () => {
    const work = await stored("mime", "x", { storage_key: "org/live/missing" });
    expect(await processInbound(work, 0)).toEqual({
      ...empty,
      failure: "storage_unavailable",
      retry_in_seconds: 5,
    });
  });

  test("a kind that is gone", async () => {
    const work = await stored("pigeon", "x", { attempt: 2 });
    expect(await processInbound(work, 0.5)).toEqual({
      ...empty,
      failure: "no inbound kind pigeon",
      retry_in_seconds: 33,
    });
  });

  test("a provider that does not hand over the mail", async () => {
    const resend = await startResend((_, response) => void response.writeHead(500).end("down"));
    vi.stubEnv("MAILPIPE_PROVIDER_URL_RESEND", resend.url);
    const work = await stored("resend", received, { credentials: credentials() });
    expect(await processInbound(work, 0)).toEqual({
      ...empty,
      failure: expect.stringContaining("500"),
      retry_in_seconds: 5,
    });
    await resend.close();
  });

  test("to the end of the schedule, and then no more", async () => {
    const work = await stored("pigeon", "x");
    expect((await processInbound({ ...work, attempt: 9 }, 0)).retry_in_seconds).toBe(86_400);
    expect((await processInbound({ ...work, attempt: 10 }, 0)).retry_in_seconds).toBeNull();
  });

  test("but not a request whose every worker died: it is not even read", async () => {
    const work = await stored("mime", "From: ada@example.com\r\n\r\nHi", { attempt: 11 });
    api.calls.length = 0;
    expect(await processInbound(work, 0)).toEqual({
      ...empty,
      failure: "every earlier try ended without a word",
      retry_in_seconds: null,
    });
    expect(api.calls).toEqual([]);
  });

  test("with a reason Postgres can store, whatever the failure quoted", async () => {
    const work = await stored("mime", "x");
    vi.spyOn(mime, "interpret").mockRejectedValueOnce(new Error(`bad\0 byte ${"x".repeat(490)}😀`));
    const { failure } = await processInbound(work, 0);
    expect(failure).toBe(`bad byte ${"x".repeat(490)}`);
  });
});
