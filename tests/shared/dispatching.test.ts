import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as ranges from "../../shared/address-ranges.ts";
import { dispatchDelivery } from "../../shared/dispatching.ts";
import { composeEventBody } from "../../shared/event-bodies.ts";
import type { DeliveryWork } from "../../shared/schemas/outgoing.ts";
import { newWebhookSecret } from "../../shared/signature.ts";
import { makeCertificate, type TestCertificate, trust } from "../support/certificates.ts";
import { type StandIn, startStandIn } from "../support/stand-in.ts";

vi.mock("../../shared/address-ranges.ts", { spy: true });

const secret = newWebhookSecret();
const event = {
  id: "evt_01JDPZ0000000000000000000",
  type: "email.sent",
  created_at: "2025-01-02T03:04:05.678Z",
  data: { message_id: "msg_1", subject: "Größe 😀 \u2028" },
};
const body = composeEventBody(event);

let endpoint: StandIn | undefined;

beforeEach(() => {
  vi.stubEnv("SUPABASE_URL", "https://abcdefghijklmnopqrst.supabase.co");
  vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
});
afterEach(async () => {
  await endpoint?.close();
  endpoint = undefined;
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

async function endpointThat(answer: (response: ServerResponse) => void): Promise<StandIn> {
  endpoint = await startStandIn((_, response) => answer(response));
  return endpoint;
}

function answering(status: number, text = "", headers: Record<string, string> = {}): Promise<StandIn> {
  return endpointThat((response) => response.writeHead(status, headers).end(text));
}

function delivery(url: string, changes: Partial<DeliveryWork> = {}): DeliveryWork {
  return {
    job_id: "job_1",
    fence: 3,
    attempt: 1,
    lane: "first",
    delivery_id: "dlv_1",
    thin: false,
    event,
    payload_version: 1,
    body: null,
    url,
    enabled: true,
    headers: null,
    secret,
    previous_secret: null,
    ...changes,
  };
}

function dispatch(url: string, changes: Partial<DeliveryWork> = {}, random = 0, now = new Date()) {
  return dispatchDelivery(delivery(url, changes), body, now, random);
}

describe("a delivery", () => {
  test("is posted as JSON, signed in both schemes its receivers use", async () => {
    const { url, calls } = await answering(200, "thanks");
    expect(await dispatch(`${url}/hook`)).toEqual({
      job_id: "job_1",
      fence: 3,
      delivery_id: "dlv_1",
      outcome: "succeeded",
      status_code: 200,
      detail: null,
      duration_ms: expect.any(Number),
      overloaded: false,
      retry_in_seconds: null,
      leave_alone_seconds: null,
      disable: null,
    });
    const [call] = calls;
    expect(call).toMatchObject({ method: "POST", path: "/hook", body });
    expect(call?.headers["content-type"]).toBe("application/json");

    expect(new Webhook(secret).verify(call?.body ?? "", call?.headers ?? {})).toEqual(event);
    // The sample of Mailpipe's documentation: parse, write again, compare.
    const expected = createHmac("sha256", secret).update(JSON.stringify(JSON.parse(call?.body ?? ""))).digest(
      "hex",
    );
    const given = call?.headers["x-mailpipe-signature"] ?? "";
    expect(timingSafeEqual(Buffer.from(given), Buffer.from(expected))).toBe(true);
  });

  test("sends the same bytes under the same id on every try, with the time of the try", async () => {
    const { url, calls } = await answering(500);
    await dispatch(url, { attempt: 1 }, 0, new Date("2025-01-02T03:04:05Z"));
    await dispatch(url, { attempt: 2 }, 0, new Date("2025-01-02T03:05:05Z"));
    const [first, second] = calls;
    expect(second?.body).toBe(first?.body);
    expect(second?.headers["webhook-id"]).toBe(event.id);
    expect(second?.headers["x-mailpipe-signature"]).toBe(first?.headers["x-mailpipe-signature"]);
    expect([first, second].map((call) => call?.headers["webhook-timestamp"])).toEqual([
      "1735787045",
      "1735787105",
    ]);
  });

  test.each([200, 201, 204, 299])("answered %i has succeeded", async (status) => {
    const { url } = await answering(status);
    expect(await dispatch(url)).toMatchObject({
      outcome: "succeeded",
      retry_in_seconds: null,
      disable: null,
    });
  });

  test.each([400, 401, 404, 408])("answered %i is tried again and disables nothing", async (status) => {
    const { url } = await answering(status, "no");
    expect(await dispatch(url)).toMatchObject({
      outcome: "http_error",
      status_code: status,
      overloaded: false,
      retry_in_seconds: 5,
      disable: null,
    });
  });

  test.each([429, 500, 502, 503, 504])("answered %i is not tried again within 30 s", async (status) => {
    const { url } = await answering(status, "no");
    const busy = { outcome: "http_error", status_code: status, overloaded: true, disable: null };
    expect(await dispatch(url)).toMatchObject({ ...busy, retry_in_seconds: 30, leave_alone_seconds: null });
    // The floor is below what the schedule has anyway.
    expect(await dispatch(url, { attempt: 2 })).toMatchObject({ ...busy, retry_in_seconds: 60 });
  });

  test("answered 410 is not wanted any more: the endpoint is disabled and nothing tried again", async () => {
    const { url } = await answering(410);
    expect(await dispatch(url)).toMatchObject({
      outcome: "http_error",
      disable: "gone",
      retry_in_seconds: null,
    });
  });

  test.each([[200, "succeeded"], [404, "http_error"], [410, "http_error"]])(
    "answered %i with webhook-delivery: disable is the last one",
    async (status, outcome) => {
      const { url } = await answering(status, "", { "Webhook-Delivery": " Disable " });
      expect(await dispatch(url)).toMatchObject({ outcome, disable: "asked", retry_in_seconds: null });
    },
  );

  test.each(["", "enable", "disabled"])(
    "answered webhook-delivery: %j is one like any other",
    async (given) => {
      const { url } = await answering(200, "", { "webhook-delivery": given });
      expect(await dispatch(url)).toMatchObject({ outcome: "succeeded", disable: null });
    },
  );

  test("carries the endpoint's own headers, which replace none of ours", async () => {
    const { url, calls } = await answering(200);
    const headers = { authorization: "Bearer hook", "content-type": "text/plain", "webhook-id": "evt_2" };
    await dispatch(url, { headers, payload_version: 7 });
    expect(calls[0]?.headers).toMatchObject({
      authorization: "Bearer hook",
      "content-type": "application/json",
      "webhook-id": event.id,
      "x-mailpipe-payload-version": "7",
    });
  });

  test("is signed with both secrets while the old one is valid, in hex with the old one", async () => {
    const { url, calls } = await answering(200);
    const previous_secret = newWebhookSecret();
    await dispatch(url, { previous_secret });
    const headers = calls[0]?.headers ?? {};
    for (const each of [secret, previous_secret]) {
      expect(new Webhook(each).verify(body, headers)).toEqual(event);
    }
    const hex = createHmac("sha256", previous_secret).update(body).digest("hex");
    expect(headers["x-mailpipe-signature"]).toBe(hex);
  });

  test.each([301, 302, 303, 307, 308])("answered %i is a failure: nobody is followed", async (status) => {
    const other = await startStandIn((_, response) => response.end());
    const { url } = await answering(status, "", { location: other.url });
    expect(await dispatch(url)).toMatchObject({
      outcome: "redirect",
      status_code: status,
      retry_in_seconds: 5,
      disable: null,
    });
    expect(other.calls).toEqual([]);
    await other.close();
  });

  test("waits as long as its receiver asks, up to a day, but does not when it was taken", async () => {
    const now = new Date("2025-01-02T03:04:05Z");
    for (
      const [asked, seconds] of [
        ["3600", 3600],
        ["1", 5],
        ["Thu, 02 Jan 2025 04:04:05 GMT", 3600],
        ["Thu, 02 Jan 2025 02:04:05 GMT", 5],
        ["999999999", 86_400],
        ["-60", 5],
        ["soon", 5],
      ] as const
    ) {
      const { url, close } = await answering(404, "", { "retry-after": asked });
      const tried = await dispatch(url, {}, 0, now);
      expect([tried.retry_in_seconds, tried.leave_alone_seconds]).toEqual([seconds, null]);
      await close();
    }
    const { url } = await answering(200, "", { "retry-after": "3600" });
    expect((await dispatch(url, {}, 0, now)).retry_in_seconds).toBeNull();
  });

  test.each([429, 503])("answered %i with Retry-After says so for everything that waits", async (status) => {
    const { url } = await answering(status, "", { "retry-after": "600" });
    expect(await dispatch(url)).toMatchObject({ retry_in_seconds: 600, leave_alone_seconds: 600 });
  });

  test("is tried eleven times in all, a little later each by chance", async () => {
    const { url } = await answering(404);
    expect((await dispatch(url, { attempt: 2 }, 0.5)).retry_in_seconds).toBeCloseTo(66);
    expect((await dispatch(url, { attempt: 10 })).retry_in_seconds).toBe(86_400);
    expect((await dispatch(url, { attempt: 11 })).retry_in_seconds).toBeNull();
  });

  test("of an endpoint disabled meanwhile is not posted and not tried again", async () => {
    const { url, calls } = await answering(200);
    expect(await dispatch(url, { enabled: false })).toMatchObject({
      outcome: "disabled",
      status_code: null,
      retry_in_seconds: null,
      disable: null,
    });
    expect(calls).toEqual([]);
  });

  test("to a private address leaves no packet, also when the address was allowed at its creation", async () => {
    const { url, calls } = await answering(200);
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    expect(await dispatch(url.replace("http:", "https:"))).toMatchObject({
      outcome: "private_address",
      status_code: null,
      retry_in_seconds: 5,
    });
    expect(calls).toEqual([]);
  });

  test("to a closed port says so", async () => {
    const { url, close } = await answering(200);
    await close();
    expect(await dispatch(url)).toMatchObject({ outcome: "connect_refused", retry_in_seconds: 5 });
  });

  test("to an endpoint that hangs is left after 15 seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let arrived = (): void => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const { url } = await endpointThat(() => arrived());
    let settled = false;
    const tried = dispatch(url).finally(() => (settled = true));
    await arrival;
    vi.advanceTimersByTime(14_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await tried).toMatchObject({ outcome: "timeout", overloaded: true, retry_in_seconds: 30 });
  });
});

describe("what is kept of an answer", () => {
  // 127.0.0.2 passes for a public address in these, and TLS is spoken.
  let certificate: TestCertificate;
  let untrust: () => void;
  let server: https.Server | undefined;

  beforeAll(async () => {
    certificate = await makeCertificate(["127.0.0.2"]);
    untrust = trust(certificate.authority);
  });
  afterAll(() => untrust());
  beforeEach(() => {
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "");
    vi.spyOn(ranges, "isPublicAddress").mockImplementation((address) => address === "127.0.0.2");
  });
  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    vi.restoreAllMocks();
  });

  async function publicly(answer: (response: ServerResponse) => void): Promise<string> {
    const { cert, key } = certificate;
    server = https.createServer({ cert, key }, (_, response) => answer(response));
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.2", resolve));
    return `https://127.0.0.2:${(server.address() as AddressInfo).port}/`;
  }

  test.each<[string, string | Buffer, string]>([
    ["NUL", `\0${"x".repeat(4095)}😀${"y".repeat(100_000)}`, "x".repeat(4095)],
    ["a character across the 4 KiB", `${"x".repeat(4094)}ä${"ä".repeat(4000)}`, `${"x".repeat(4094)}ä`],
    ["what is no UTF-8", Buffer.from([0xff, 0xfe, 0x41, 0xc3]), "\ufffd\ufffdA\ufffd"],
    ["half a character", Buffer.from([0xed, 0xa0, 0x80, 0x41]), "\ufffd\ufffd\ufffdA"],
    ["nothing", "", ""],
  ])("is its beginning, in text Postgres takes: %s", async (_, sent, kept) => {
    const { detail } = await dispatch(await publicly((response) => response.writeHead(500).end(sent)));
    expect(detail).toBe(kept);
    expect(Buffer.byteLength(detail ?? "")).toBeLessThanOrEqual(4096);
  });

  test("is bounded although the answer has no end", async () => {
    let chunks = 0;
    const url = await publicly((response) => {
      const feed = (): void =>
        void (response.destroyed || ++chunks > 400 ||
          response.write(Buffer.alloc(65_536, 97), () => setImmediate(feed)));
      feed();
    });
    expect(await dispatch(url)).toMatchObject({ outcome: "succeeded", detail: "a".repeat(4096) });
  });

  test("is nothing when the operator opened the address: it may be an internal system's", async () => {
    const url = await publicly((response) => response.writeHead(500).end("inside"));
    vi.stubEnv("MAILPIPE_EGRESS_ALLOW", "127.0.0.0/8");
    expect(await dispatch(url)).toMatchObject({ status_code: 500, detail: null });
  });
});
